import { Worker } from 'node:worker_threads';
import { sleep, type Clock, type Timer } from '../../base/clock.ts';
import type { FieldError } from '../../machinery/field-error.ts';
import { newTooManyRequests } from '../../machinery/status/errors.ts';
import type { EvaluateElsewhere, LongEvaluation } from '../../machinery/structural/rule-validator.ts';
import type { RuleReply, RuleRequest } from '../../machinery/validation-rules/serve-rules.ts';

const idleMs = 30_000;

/** What an evaluation may take without anybody noticing, and how many times as long as the rest of it the next one waits. */
const harmlessMs = 2;
const parts = 40;
const longestPauseMs = 2_000;
/** Evaluations of one schema that may wait; who asks for more is told to come again. */
const mostWaiting = 64;

const tooManyWait = 'too many objects of this kind wait for validation rules that take long';

export interface RuleThreadOptions {
  readonly clock: Clock;
  /** Whether there are many requests of others, whose clients and servers may need the processor that this thread uses. */
  isBusy(): boolean;
  /** The program of the thread: the built `bin/rules-worker`. */
  readonly workerFile: string;
}

/** A thread that evaluates rules that take long. */
export interface RuleThread {
  readonly evaluate: EvaluateElsewhere;
  close(): void;
}

interface Waiting {
  readonly pace: Pace;
  resolve(errors: FieldError[]): void;
  reject(error: Error): void;
}

/** Of one schema. */
interface Pace {
  readonly schemaId: number;
  /** When its rules may be evaluated again. */
  freeAt: number;
  /** Its latest evaluation, and how many have not ended. */
  last: Promise<unknown>;
  waiting: number;
}

/**
 * Starts the thread when it is first needed, and ends it when nothing has needed it for half a minute. While others are busy,
 * there are rests in evaluations, and pauses between those of one schema in proportion to the work they are.
 */
export function ruleThread({ clock, isBusy, workerFile }: RuleThreadOptions): RuleThread {
  const paces = new WeakMap<object, Pace>();
  let last = 0;
  let thread: { readonly worker: Worker; readonly known: Set<number> } | undefined;
  let idle: Timer | undefined;
  const waiting = new Map<number, Waiting>();

  function end(): void {
    idle?.cancel();
    void thread?.worker.terminate();
    thread = undefined;
  }

  function answered({ id, workedMs, ...reply }: RuleReply): void {
    const one = waiting.get(id);
    waiting.delete(id);
    const harm = Math.max(workedMs - harmlessMs, 0);
    if (one) one.pace.freeAt = clock.monotonic() + Math.min(harm * parts, longestPauseMs);
    if ('errors' in reply) one?.resolve([...reply.errors]);
    else one?.reject(new Error(reply.fault));
    if (waiting.size === 0) idle = clock.after(idleMs, end);
  }

  function start(): NonNullable<typeof thread> {
    const worker = new Worker(workerFile);
    worker.unref();
    worker.on('message', answered);
    const ended = (error: Error): void => {
      if (thread?.worker !== worker) return;
      thread = undefined;
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    };
    worker.on('error', ended);
    worker.on('exit', () => ended(new Error('the thread of rules ended')));
    return { worker, known: new Set() };
  }

  function begin({ schema, object, oldObject }: LongEvaluation, pace: Pace): Promise<FieldError[]> {
    idle?.cancel();
    thread ??= start();
    const { worker, known } = thread;
    const { schemaId } = pace;
    const request: RuleRequest = {
      id: ++last,
      schemaId,
      object,
      gently: isBusy(),
      ...(oldObject && { oldObject }),
      ...(!known.has(schemaId) && { schema }),
    };
    known.add(schemaId);
    return new Promise((resolve, reject) => {
      waiting.set(request.id, { pace, resolve, reject });
      worker.postMessage(request);
    });
  }

  const newPace = (): Pace => ({
    schemaId: ++last,
    freeAt: -Infinity,
    last: Promise.resolve(),
    waiting: 0,
  });

  async function inTurn(evaluation: LongEvaluation, pace: Pace): Promise<FieldError[]> {
    await pace.last;
    const early = pace.freeAt - clock.monotonic();
    if (early > 0 && isBusy()) await sleep(clock, early);
    return begin(evaluation, pace);
  }

  return {
    evaluate(evaluation) {
      const { schema } = evaluation;
      const pace = paces.get(schema) ?? newPace();
      paces.set(schema, pace);
      if (pace.waiting >= mostWaiting)
        return Promise.reject(newTooManyRequests(tooManyWait, { retryAfterSeconds: 1 }));
      pace.waiting++;
      const errors = inTurn(evaluation, pace).finally(() => pace.waiting--);
      pace.last = errors.catch(() => undefined);
      return errors;
    },
    close: end,
  };
}
