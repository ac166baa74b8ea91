import { Worker } from 'node:worker_threads';
import type { Clock, Timer } from '../../base/clock.ts';
import type { FieldError } from '../../machinery/field-error.ts';
import type { EvaluateElsewhere } from '../../machinery/structural/rule-validator.ts';
import type { RuleReply, RuleRequest } from '../../machinery/validation-rules/serve-rules.ts';

const idleMs = 30_000;

export interface RuleThreadOptions {
  readonly clock: Clock;
  /** The program of the thread: the built `bin/rules-worker`. */
  readonly workerFile: string;
}

/** A thread that evaluates rules that take long. */
export interface RuleThread {
  readonly evaluate: EvaluateElsewhere;
  close(): void;
}

interface Waiting {
  resolve(errors: FieldError[]): void;
  reject(error: Error): void;
}

/** Starts the thread when it is first needed, and ends it when nothing has needed it for half a minute. */
export function ruleThread({ clock, workerFile }: RuleThreadOptions): RuleThread {
  const ids = new WeakMap<object, number>();
  let last = 0;
  let thread: { readonly worker: Worker; readonly known: Set<number> } | undefined;
  let idle: Timer | undefined;
  const waiting = new Map<number, Waiting>();

  function end(): void {
    idle?.cancel();
    void thread?.worker.terminate();
    thread = undefined;
  }

  function answered({ id, ...reply }: RuleReply): void {
    const one = waiting.get(id);
    waiting.delete(id);
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

  return {
    evaluate({ schema, object, oldObject }) {
      idle?.cancel();
      thread ??= start();
      const { worker, known } = thread;
      const schemaId = ids.get(schema) ?? ++last;
      ids.set(schema, schemaId);
      const request: RuleRequest = {
        id: ++last,
        schemaId,
        object,
        ...(oldObject && { oldObject }),
        ...(!known.has(schemaId) && { schema }),
      };
      known.add(schemaId);
      return new Promise((resolve, reject) => {
        waiting.set(request.id, { resolve, reject });
        worker.postMessage(request);
      });
    },
    close: end,
  };
}
