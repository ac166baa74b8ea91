import type { Clock } from '../../base/clock.ts';

/** What a number was over some time. */
export interface DemandStatistics {
  /** Weighed by time, as is the deviation from it. */
  readonly average: number;
  readonly deviation: number;
}

/** Follows a number that changes, and says what it was since it was asked last. */
export class DemandIntegrator {
  readonly #clock: Clock;
  #value = 0;
  #since: number;
  #from: number;
  #sum = 0;
  #squares = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.monotonic();
    this.#from = this.#since;
  }

  set(value: number): void {
    if (value === this.#value) return;
    this.#settle();
    this.#value = value;
  }

  take(): DemandStatistics {
    this.#settle();
    const length = this.#since - this.#from;
    const average = length > 0 ? this.#sum / length : this.#value;
    const square = length > 0 ? this.#squares / length : average * average;
    this.#from = this.#since;
    this.#sum = 0;
    this.#squares = 0;
    return { average, deviation: Math.sqrt(Math.max(0, square - average * average)) };
  }

  #settle(): void {
    const now = this.#clock.monotonic();
    const length = now - this.#since;
    this.#sum += this.#value * length;
    this.#squares += this.#value * this.#value * length;
    this.#since = now;
  }
}

/** How much of the demand before counts for the smoothed one when less is asked for. */
const memory = 0.977;

/** Demand that rises at once and falls slowly (upstream's smoothed seat demand). */
export function smoothed(before: number, { average, deviation }: DemandStatistics): number {
  const envelope = average + deviation;
  return Math.max(envelope, memory * before + (1 - memory) * envelope);
}
