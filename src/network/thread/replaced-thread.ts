import { Worker } from 'node:worker_threads';
import type { ThreadReply, ThreadRequest } from './thread-message.ts';

export interface ReplacedThreadOptions<Call, Notice> {
  /** The program of the thread. */
  readonly workerFile: string;
  /** What calls say that were waiting when the thread ended. */
  readonly endedMessage: string;
  /** Brings a thread that takes another's place to where that one was. */
  restore(call: (call: Call) => Promise<unknown>): Promise<void>;
  /** Hears that the thread died, or that its successor could not be brought to where it was. */
  onCrash(error: unknown): void;
  /** Hears what the thread says of its own accord. */
  onNotice?(notice: Notice): void;
}

/** A worker thread that answers calls. When it dies, another takes its place. */
export interface ReplacedThread<Call> {
  call(call: Call): Promise<unknown>;
  /** Ends the thread, with whatever it holds. */
  terminate(): Promise<void>;
}

/** Starts the thread; its program answers by `answerCalls`. */
export function startReplacedThread<Call, Notice extends { readonly kind: string } = never>(
  options: ReplacedThreadOptions<Call, Notice>,
): ReplacedThread<Call> {
  let closing = false;
  let thread = start();

  function start(): Thread<Call, Notice> {
    const next = new Thread(options);
    next.worker.on('error', (error) => {
      if (closing) return;
      options.onCrash(error);
      const successor = (thread = start());
      void restore(successor);
    });
    return next;
  }

  async function restore(next: Thread<Call, Notice>): Promise<void> {
    try {
      await options.restore((call) => next.call(call));
    } catch (error) {
      options.onCrash(error);
    }
  }

  return {
    call: (call) => thread.call(call),
    async terminate() {
      closing = true;
      await thread.worker.terminate();
    },
  };
}

/** One thread and the calls that wait for its answers. */
class Thread<Call, Notice extends { readonly kind: string }> {
  readonly worker: Worker;
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  #last = 0;

  constructor({ workerFile, endedMessage, onNotice }: ReplacedThreadOptions<Call, Notice>) {
    this.worker = new Worker(workerFile);
    this.worker.on('message', (message: ThreadReply | Notice) => {
      if (!isReply(message)) {
        onNotice?.(message);
        return;
      }
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if (message.kind === 'result') waiting?.resolve(message.result);
      else waiting?.reject(new Error(message.message));
    });
    this.worker.on('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error(endedMessage));
      this.#waiting.clear();
    });
  }

  call(call: Call): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const request: ThreadRequest<Call> = { id: ++this.#last, call };
      this.#waiting.set(request.id, { resolve, reject });
      this.worker.postMessage(request);
    });
  }
}

function isReply(message: ThreadReply | { readonly kind: string }): message is ThreadReply {
  return message.kind === 'result' || message.kind === 'error';
}
