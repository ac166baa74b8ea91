import type { MessagePort } from 'node:worker_threads';
import type { Clock } from '../../base/clock.ts';
import type { RuleRequest } from '../../machinery/validation-rules/serve-rules.ts';
import type { ExpressionRequest } from '../admission/policies/serve-expressions.ts';

/** What is to be evaluated. */
export type Evaluation = { readonly rules: RuleRequest } | { readonly expression: ExpressionRequest };

/** One evaluation that is asked for of another thread. */
export type EvaluationRequest = Evaluation & {
  readonly id: number;
  /** Whether to leave the processor to others most of the time. */
  readonly gently: boolean;
};

/** How one evaluation ended, and how much of the processor's time it took. */
export type EvaluationReply = { readonly id: number; readonly workedMs: number } & (
  | { readonly answer: unknown }
  | { readonly fault: string }
);

/** What can be asked for; the answers must be such that they can be copied. */
export interface Evaluators {
  rules(request: RuleRequest): Promise<unknown>;
  expression(request: ExpressionRequest): Promise<unknown>;
}

/** Of a gentle evaluation: work without a rest, and a rest. */
const stretchMs = 1;
const restMs = 4;

/**
 * Evaluates in this thread, one after the other, for the caller at the other end of `port`. The evaluators are to call `rest` now and
 * then, which keeps gentle evaluations waiting.
 */
export function serveEvaluations(
  port: MessagePort,
  clock: Clock,
  evaluatorsOf: (rest: () => void) => Evaluators,
): void {
  const stopwatch = gentleStopwatch(clock);
  const evaluators = evaluatorsOf(stopwatch.rest);
  let last: Promise<void> = Promise.resolve();
  const evaluate = async (request: EvaluationRequest): Promise<void> => {
    const send = (outcome: { readonly answer: unknown } | { readonly fault: string }): void =>
      port.postMessage({
        id: request.id,
        workedMs: stopwatch.workedMs(),
        ...outcome,
      } satisfies EvaluationReply);
    stopwatch.start(request.gently);
    try {
      const answer = await ('rules' in request
        ? evaluators.rules(request.rules)
        : evaluators.expression(request.expression));
      send({ answer });
    } catch (error) {
      send({ fault: error instanceof Error ? error.message : String(error) });
    }
  };
  port.on('message', (request: EvaluationRequest) => {
    last = last.then(() => evaluate(request));
  });
}

/** Measures one evaluation at a time. */
interface Stopwatch {
  start(gently: boolean): void;
  /** Stops the thread for a while when it has worked for long enough. */
  rest(this: void): void;
  workedMs(): number;
}

function gentleStopwatch(clock: Clock): Stopwatch {
  const never = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  let isGentle = false;
  let since = 0;
  let worked = 0;
  return {
    start(gently) {
      isGentle = gently;
      since = clock.monotonic();
      worked = 0;
    },
    rest() {
      const stretch = clock.monotonic() - since;
      if (!isGentle || stretch < stretchMs) return;
      worked += stretch;
      Atomics.wait(never, 0, 0, restMs);
      since = clock.monotonic();
    },
    workedMs: () => worked + clock.monotonic() - since,
  };
}
