import type { Clock, Timer } from '../../base/clock.ts';

interface Pending {
  readonly due: number;
  readonly order: number;
  readonly run: () => void;
  cancelled: boolean;
}

/** A clock that jumps from timer to timer when it is told to, for simulations that need not wait. */
export class SteppedClock implements Clock {
  readonly #start: number;
  #elapsed = 0;
  #order = 0;
  /** By due time, the latest first. */
  readonly #timers: Pending[] = [];

  constructor(startMs: number) {
    this.#start = startMs;
  }

  now(): number {
    return this.#start + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  after(ms: number, run: () => void): Timer {
    const timer: Pending = {
      due: this.#elapsed + Math.max(0, ms),
      order: this.#order++,
      run,
      cancelled: false,
    };
    let low = 0;
    let high = this.#timers.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const other = this.#timers[middle];
      if (other && (other.due > timer.due || (other.due === timer.due && other.order > timer.order)))
        low = middle + 1;
      else high = middle;
    }
    this.#timers.splice(low, 0, timer);
    return { cancel: () => void (timer.cancelled = true) };
  }

  /** Moves to the next timer and runs all that are due with it; false when there is none before `limitMs`. */
  step(limitMs: number): boolean {
    for (;;) {
      const next = this.#timers.at(-1);
      if (!next) return false;
      if (next.cancelled) {
        this.#timers.pop();
        continue;
      }
      if (next.due > limitMs) return false;
      this.#elapsed = Math.max(this.#elapsed, next.due);
      break;
    }
    for (
      let next = this.#timers.at(-1);
      next && (next.cancelled || next.due <= this.#elapsed);
      next = this.#timers.at(-1)
    ) {
      this.#timers.pop();
      if (!next.cancelled) next.run();
    }
    return true;
  }
}
