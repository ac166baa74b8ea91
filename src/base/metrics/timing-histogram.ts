import type { Clock } from '../clock.ts';
import { labelText, type Sample } from './exposition.ts';
import { bucketSamples, Distribution } from './histogram.ts';

export interface TimingHistogramOptions {
  readonly buckets: readonly number[];
  readonly clock: Clock;
}

/** A value that changes, and for how long it had which size. */
export class TimedValue {
  readonly distribution: Distribution;
  readonly #clock: Clock;
  #value = 0;
  #since: number;

  constructor({ buckets, clock }: TimingHistogramOptions) {
    this.distribution = new Distribution(buckets);
    this.#clock = clock;
    this.#since = clock.monotonic();
  }

  set(value: number): void {
    if (value === this.#value) return;
    this.settle();
    this.#value = value;
  }

  /** Counts the time until now. */
  settle(): void {
    const now = this.#clock.monotonic();
    this.distribution.observe(this.#value, Math.round((now - this.#since) * 1e6));
    this.#since = now;
  }
}

/** Values by label values, weighed by nanoseconds (upstream's timing histograms). */
export class TimingHistogram {
  readonly #names: readonly string[];
  readonly #options: TimingHistogramOptions;
  readonly #values = new Map<string, TimedValue>();

  constructor(names: readonly string[], options: TimingHistogramOptions) {
    this.#names = names;
    this.#options = options;
  }

  labels(...values: readonly string[]): TimedValue {
    const key = values.join('\0');
    let found = this.#values.get(key);
    if (!found) this.#values.set(key, (found = new TimedValue(this.#options)));
    return found;
  }

  *samples(): Iterable<Sample> {
    for (const [key, value] of this.#values) {
      value.settle();
      yield* bucketSamples(value.distribution, labelText(this.#names, key.split('\0')));
    }
  }
}
