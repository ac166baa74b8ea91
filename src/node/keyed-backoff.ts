import type { Clock } from '../base/clock.ts';

/** A back-off per key: 10 s, doubling to 300 s, forgotten after 600 s of peace (client-go's flowcontrol.Backoff). */
export class KeyedBackoff {
  readonly #clock: Clock;
  readonly #initialMs: number;
  readonly #maxMs: number;
  readonly #entries = new Map<string, { ms: number; updated: number }>();

  constructor(clock: Clock, initialMs: number = 10_000, maxMs: number = 300_000) {
    this.#clock = clock;
    this.#initialMs = initialMs;
    this.#maxMs = maxMs;
  }

  /** The present back-off of `key` when something that failed at `since` (ms since the epoch) must still wait. */
  waiting(
    key: string,
    since: number,
  ): { readonly backoffMs: number; readonly remainingMs: number } | undefined {
    const entry = this.#live(key, since);
    if (!entry) return undefined;
    const remainingMs = since + entry.ms - this.#clock.now();
    return remainingMs > 0 ? { backoffMs: entry.ms, remainingMs } : undefined;
  }

  /** As {@link waiting}, counted from the last failure. */
  waitingSinceFailure(key: string): { readonly backoffMs: number; readonly remainingMs: number } | undefined {
    const entry = this.#entries.get(key);
    return entry && this.waiting(key, entry.updated);
  }

  /** Counts a failure that happened at `since`. */
  fail(key: string, since: number = this.#clock.now()): void {
    const ms = this.#live(key, since)?.ms;
    const next = ms === undefined ? this.#initialMs : Math.min(this.#maxMs, ms * 2);
    this.#entries.set(key, { ms: next, updated: this.#clock.now() });
  }

  forget(key: string): void {
    this.#entries.delete(key);
  }

  /** Drops what has been at peace long enough. */
  sweep(): void {
    const now = this.#clock.now();
    for (const [key, entry] of this.#entries) {
      if (now - entry.updated > 2 * this.#maxMs) this.#entries.delete(key);
    }
  }

  #live(key: string, since: number): { ms: number } | undefined {
    const entry = this.#entries.get(key);
    return entry && since - entry.updated <= 2 * this.#maxMs ? entry : undefined;
  }
}
