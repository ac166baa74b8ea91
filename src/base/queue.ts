import { backoffMs, type BackoffPolicy } from './backoff.ts';
import type { Clock, Timer } from './clock.ts';

export interface WorkQueueOptions<K> {
  readonly clock: Clock;
  /** How many keys are processed at once. Default 1. */
  readonly concurrency?: number;
  /** Waits between attempts of a key that keeps failing. Default 5 ms doubling to 1000 s, as client-go's. */
  readonly backoff?: BackoffPolicy;
  /** Does the work of one key; resolves to the milliseconds after which the key is due again, if any. */
  process(key: K): Promise<number | undefined>;
  /** Hears of each failure before the key is retried; `failures` counts those in a row, `retryMs` is the wait. */
  onFailure?(key: K, error: unknown, failure: { readonly failures: number; readonly retryMs: number }): void;
  readonly observer?: WorkQueueObserver;
}

/** Hears how a queue fares. */
export interface WorkQueueObserver {
  /** A key is ready that was not. */
  added(): void;
  /** A key that was ready for so long is being processed; what is returned is called when that is done. */
  started(waitedMs: number): () => void;
  /** A key failed and will be tried again. */
  retried(): void;
  /** So many ready keys are dropped. */
  dropped(count: number): void;
}

const clientGoBackoff: BackoffPolicy = { baseMs: 5, maxMs: 1_000_000 };

/**
 * A work queue that processes its keys itself (client-go's workqueue together with its workers).
 *
 * A key that waits is not queued twice; a key is never processed by two workers at once: when it is added while being
 * processed, it is processed again afterwards. Processing starts in a microtask, in the order of adding.
 */
export class WorkQueue<K> {
  readonly #options: WorkQueueOptions<K>;
  readonly #ready = new Set<K>();
  readonly #active = new Set<K>();
  readonly #again = new Set<K>();
  readonly #delayed = new Map<K, { due: number; timer: Timer }>();
  readonly #failures = new Map<K, number>();
  readonly #readyAt = new Map<K, number>();
  readonly #idle: (() => void)[] = [];
  #pumping = false;
  #stopped = false;

  constructor(options: WorkQueueOptions<K>) {
    this.#options = options;
  }

  /** Keys that are ready and not being processed. */
  get length(): number {
    return this.#ready.size;
  }

  /** Queues `key` unless it is queued already. Ignored after {@link stop}. */
  add(key: K): void {
    if (this.#stopped) return;
    if (this.#active.has(key)) {
      this.#again.add(key);
      return;
    }
    this.#makeReady(key);
    this.#schedule();
  }

  /** Queues `key` in `ms` milliseconds; of several delays of one key the earliest counts. */
  addAfter(key: K, ms: number): void {
    if (this.#stopped) return;
    if (ms <= 0) {
      this.add(key);
      return;
    }
    const due = this.#options.clock.monotonic() + ms;
    const waiting = this.#delayed.get(key);
    if (waiting && waiting.due <= due) return;
    waiting?.timer.cancel();
    const timer = this.#options.clock.after(ms, () => {
      this.#delayed.delete(key);
      this.add(key);
    });
    this.#delayed.set(key, { due, timer });
  }

  /** Resolves when nothing is ready or being processed; delayed keys do not count. */
  idle(): Promise<void> {
    if (this.#ready.size === 0 && this.#active.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle.push(resolve));
  }

  /** Drops everything that waits and resolves when the last key being processed is done. */
  stop(): Promise<void> {
    this.#stopped = true;
    this.#options.observer?.dropped(this.#ready.size);
    this.#ready.clear();
    this.#readyAt.clear();
    this.#again.clear();
    for (const { timer } of this.#delayed.values()) timer.cancel();
    this.#delayed.clear();
    return this.idle();
  }

  #makeReady(key: K): void {
    const { observer, clock } = this.#options;
    if (observer && !this.#ready.has(key)) {
      observer.added();
      this.#readyAt.set(key, clock.monotonic());
    }
    this.#ready.add(key);
  }

  /** Tells the observer that a ready key is taken; what it returns is to be called when the key is done. */
  #begin(key: K): (() => void) | undefined {
    const { observer, clock } = this.#options;
    if (!observer) return undefined;
    const now = clock.monotonic();
    const since = this.#readyAt.get(key) ?? now;
    this.#readyAt.delete(key);
    return observer.started(now - since);
  }

  #schedule(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      for (const key of this.#ready) {
        if (this.#active.size >= (this.#options.concurrency ?? 1)) return;
        this.#ready.delete(key);
        this.#active.add(key);
        void this.#work(key);
      }
    });
  }

  async #work(key: K): Promise<void> {
    const done = this.#begin(key);
    try {
      const dueMs = await this.#options.process(key);
      this.#failures.delete(key);
      if (dueMs !== undefined) this.addAfter(key, dueMs);
    } catch (error) {
      this.#retry(key, error);
    }
    done?.();
    this.#active.delete(key);
    if (this.#again.delete(key)) this.#makeReady(key);
    if (this.#ready.size > 0) this.#schedule();
    else if (this.#active.size === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #retry(key: K, error: unknown): void {
    if (this.#stopped) return;
    const failures = (this.#failures.get(key) ?? 0) + 1;
    this.#failures.set(key, failures);
    const retryMs = backoffMs(this.#options.backoff ?? clientGoBackoff, failures);
    this.#options.onFailure?.(key, error, { failures, retryMs });
    this.#options.observer?.retried();
    this.addAfter(key, retryMs);
  }
}
