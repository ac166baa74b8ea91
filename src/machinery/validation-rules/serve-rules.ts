import type { MessagePort } from 'node:worker_threads';
import type { Clock } from '../../base/clock.ts';
import type { FieldError } from '../field-error.ts';
import { correlate } from '../structural/correlation.ts';
import { loadPatterns } from '../structural/patterns.ts';
import type { LongEvaluation, RuleValidator } from '../structural/rule-validator.ts';
import { structuralSchema, type StructuralSchema } from '../structural/structural-schema.ts';
import { ruleCompiler } from './evaluate-rules.ts';

/** One evaluation that is asked for of another thread. */
export interface RuleRequest extends Omit<LongEvaluation, 'schema'> {
  readonly id: number;
  readonly schemaId: number;
  /** With the first request about it. */
  readonly schema?: LongEvaluation['schema'];
  /** Whether to leave the processor to others most of the time. */
  readonly gently: boolean;
}

/** How one evaluation ended, and how much of the processor's time it took. */
export type RuleReply = { readonly id: number; readonly workedMs: number } & (
  | { readonly errors: readonly FieldError[] }
  | { readonly fault: string }
);

/** Of a gentle evaluation: work without a rest, and a rest. */
const stretchMs = 1;
const restMs = 4;

/** Evaluates rules in this thread for the caller at the other end of `port`. */
export function serveRules(port: MessagePort, clock: Clock): void {
  const stopwatch = gentleStopwatch(clock);
  const compile = ruleCompiler({ rest: stopwatch.rest });
  const known = new Map<number, { readonly root: StructuralSchema; readonly rules?: RuleValidator }>();
  const evaluate = async (request: RuleRequest): Promise<readonly FieldError[]> => {
    await loadPatterns();
    stopwatch.start(request.gently);
    if (request.schema) {
      const root = structuralSchema(request.schema);
      const rules = compile(root);
      known.set(request.schemaId, { root, ...(rules && { rules }) });
    }
    const { root, rules } = known.get(request.schemaId) ?? {};
    if (!root || !rules) return [];
    const { object, oldObject } = request;
    return rules.validate({
      object,
      ...(oldObject && { oldObject, correlation: correlate(object, oldObject, root) }),
    });
  };
  port.on('message', (request: RuleRequest) => {
    const send = (outcome: { readonly errors: readonly FieldError[] } | { readonly fault: string }): void =>
      port.postMessage({ id: request.id, workedMs: stopwatch.workedMs(), ...outcome } satisfies RuleReply);
    evaluate(request).then(
      (errors) => send({ errors }),
      (error: unknown) => send({ fault: error instanceof Error ? error.message : String(error) }),
    );
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
