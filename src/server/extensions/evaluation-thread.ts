import { Worker } from 'node:worker_threads';
import { sleep, type Clock, type Timer } from '../../base/clock.ts';
import { newTooManyRequests } from '../../machinery/status/errors.ts';
import type { EvaluateElsewhere } from '../../machinery/structural/rule-validator.ts';
import type { EvaluateRemotely } from '../admission/policies/remote-expression.ts';
import type { Evaluation, EvaluationReply, EvaluationRequest } from './serve-evaluations.ts';

const idleMs = 30_000;

/** What an evaluation may take without anybody noticing, and how many times as long as the rest of it the next one waits. */
const harmlessMs = 2;
const parts = 40;
const longestPauseMs = 2_000;
/** Evaluations of one schema or expression that may wait; who asks for more is told to come again. */
const mostWaiting = 64;

export interface EvaluationThreadOptions {
  readonly clock: Clock;
  /** Whether there are many requests of others, whose clients and servers may need the processor that this thread uses. */
  isBusy(): boolean;
  /** The program of the thread: the built `bin/rules-worker`. */
  readonly workerFile: string;
}

/** A thread that evaluates what takes long: rules of custom resources, and expressions of policies. */
export interface EvaluationThread {
  readonly rules: EvaluateElsewhere;
  readonly expression: EvaluateRemotely;
  close(): void;
}

interface Waiting {
  readonly pace: Pace;
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

/** Of one schema or expression. */
interface Pace {
  readonly id: number;
  /** When it may be evaluated again. */
  freeAt: number;
  /** Its latest evaluation, and how many have not ended. */
  last: Promise<unknown>;
  waiting: number;
}

/** What is asked for, by the id of the schema or expression and whether the thread knows it. */
type Asked = (id: number, known: boolean) => Evaluation;

/**
 * Starts the thread when it is first needed, and ends it when nothing has needed it for half a minute. While others are busy,
 * there are rests in evaluations, and pauses between those of one schema or expression in proportion to the work they are.
 */
export function evaluationThread({ clock, isBusy, workerFile }: EvaluationThreadOptions): EvaluationThread {
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

  function answered({ id, workedMs, ...reply }: EvaluationReply): void {
    const one = waiting.get(id);
    waiting.delete(id);
    const harm = Math.max(workedMs - harmlessMs, 0);
    if (one) one.pace.freeAt = clock.monotonic() + Math.min(harm * parts, longestPauseMs);
    if ('fault' in reply) one?.reject(new Error(reply.fault));
    else one?.resolve(reply.answer);
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
    worker.on('exit', () => ended(new Error('the thread of evaluations ended')));
    return { worker, known: new Set() };
  }

  function begin(asked: Asked, pace: Pace): Promise<unknown> {
    idle?.cancel();
    thread ??= start();
    const { worker, known } = thread;
    const request: EvaluationRequest = {
      id: ++last,
      gently: isBusy(),
      ...asked(pace.id, known.has(pace.id)),
    };
    known.add(pace.id);
    return new Promise((resolve, reject) => {
      waiting.set(request.id, { pace, resolve, reject });
      worker.postMessage(request);
    });
  }

  const newPace = (): Pace => ({
    id: ++last,
    freeAt: -Infinity,
    last: Promise.resolve(),
    waiting: 0,
  });

  async function inTurn(asked: Asked, pace: Pace): Promise<unknown> {
    await pace.last;
    const early = pace.freeAt - clock.monotonic();
    if (early > 0 && isBusy()) await sleep(clock, early);
    return begin(asked, pace);
  }

  /** `subject` is the schema or expression; what it is, is sent to the thread once. */
  function evaluate(subject: object, what: string, asked: Asked): Promise<unknown> {
    const pace = paces.get(subject) ?? newPace();
    paces.set(subject, pace);
    if (pace.waiting >= mostWaiting)
      return Promise.reject(newTooManyRequests(`too many ${what} that take long`, { retryAfterSeconds: 1 }));
    pace.waiting++;
    const answer = inTurn(asked, pace).finally(() => pace.waiting--);
    pace.last = answer.catch(() => undefined);
    return answer;
  }

  return {
    rules: ({ schema, object, oldObject }) =>
      evaluate(schema, 'objects of this kind wait for validation rules', (schemaId, known) => ({
        rules: { schemaId, object, ...(oldObject && { oldObject }), ...(!known && { schema }) },
      })) as ReturnType<EvaluateElsewhere>,
    expression: (expression, values) =>
      evaluate(
        expression,
        'requests wait for an expression of an admission policy',
        (expressionId, known) => ({
          expression: { expressionId, values, ...(!known && { expression }) },
        }),
      ) as ReturnType<EvaluateRemotely>,
    close: end,
  };
}
