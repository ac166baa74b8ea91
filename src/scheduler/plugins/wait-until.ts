import type { Clock, Timer } from '../../base/clock.ts';
import type { InformerHandler } from '../../reconcile/informer.ts';

/** Something whose changes are announced. */
interface Watched {
  addHandler(handler: Pick<InformerHandler<unknown>, 'onDelete'> & { onAdd(): void; onUpdate(): void }): {
    close(): void;
  };
}

export interface WaitOptions {
  readonly clock: Clock;
  readonly timeoutMs: number;
  readonly timeoutMessage: string;
  readonly informers: readonly Watched[];
  /** Aborted, the wait rejects with its reason. */
  readonly signal: AbortSignal;
}

/** Resolves when `check` is true, asked now and after every change that the informers see; rejects when it throws. */
export function waitUntil(
  check: () => boolean,
  { clock, timeoutMs, timeoutMessage, informers, signal }: WaitOptions,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const handlers: { close(): void }[] = [];
    let timer: Timer | undefined;
    let over = false;
    const end = (): void => {
      over = true;
      timer?.cancel();
      signal.removeEventListener('abort', abort);
      for (const handler of handlers) handler.close();
    };
    const ask = (): void => {
      if (over) return;
      try {
        if (!check()) return;
        end();
        resolve();
      } catch (error) {
        end();
        reject(error);
      }
    };
    function abort(): void {
      end();
      reject(signal.reason);
    }
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    signal.addEventListener('abort', abort, { once: true });
    timer = clock.after(timeoutMs, () => {
      end();
      reject(new Error(timeoutMessage));
    });
    for (const informer of informers) {
      if (!over) handlers.push(informer.addHandler({ onAdd: ask, onUpdate: ask, onDelete: ask }));
    }
    ask();
    if (over) end();
  });
}
