import type { Clock } from '../clock.ts';
import { labelText, type Sample } from './exposition.ts';

export interface SummaryOptions {
  readonly names: readonly string[];
  /** From 0 to 1. */
  readonly quantiles: readonly number[];
  /** What is older is forgotten. */
  readonly maxAgeMs: number;
  readonly clock: Clock;
}

/** Of one set of label values this many observations are kept. */
const keptLimit = 512;

/** The newest observations of one set of label values, and the sum and number of all. */
export class Observations {
  readonly #clock: Clock;
  readonly #values: number[] = [];
  readonly #times: number[] = [];
  #at = 0;
  sum = 0;
  count = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  observe(value: number): void {
    this.sum += value;
    this.count++;
    this.#values[this.#at] = value;
    this.#times[this.#at] = this.#clock.monotonic();
    this.#at = (this.#at + 1) % keptLimit;
  }

  /** Those that are no older than `ms`, in order of their size. */
  within(ms: number): number[] {
    const since = this.#clock.monotonic() - ms;
    return this.#values.filter((_, index) => (this.#times[index] ?? 0) >= since).sort((a, b) => a - b);
  }
}

/** Quantiles by label values. Holding on to {@link Summary.labels}' answer saves looking it up. */
export class Summary {
  readonly #options: SummaryOptions;
  readonly #observations = new Map<string, Observations>();

  constructor(options: SummaryOptions) {
    this.#options = options;
  }

  labels(...values: readonly string[]): Observations {
    const key = values.join('\0');
    let found = this.#observations.get(key);
    if (!found) this.#observations.set(key, (found = new Observations(this.#options.clock)));
    return found;
  }

  *samples(): Iterable<Sample> {
    const { names, quantiles, maxAgeMs } = this.#options;
    for (const [key, observations] of this.#observations) {
      const labels = labelText(names, key.split('\0'));
      const before = labels === '' ? '' : `${labels},`;
      const recent = observations.within(maxAgeMs);
      for (const quantile of quantiles) {
        const at = Math.max(0, Math.ceil(quantile * recent.length) - 1);
        yield { suffix: '', labels: `${before}quantile="${quantile}"`, value: recent[at] ?? Number.NaN };
      }
      yield { suffix: '_sum', labels, value: observations.sum };
      yield { suffix: '_count', labels, value: observations.count };
    }
  }
}
