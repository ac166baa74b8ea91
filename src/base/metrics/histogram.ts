import { labelText, numberText, type Sample } from './exposition.ts';

/** The distribution of one set of label values. */
export class Distribution {
  readonly counts: Float64Array;
  readonly buckets: readonly number[];
  sum = 0;

  constructor(buckets: readonly number[]) {
    this.buckets = buckets;
    this.counts = new Float64Array(buckets.length + 1);
  }

  /** Counts a value, as `weight` of them. */
  observe(value: number, weight: number = 1): void {
    this.sum += value * weight;
    let at = 0;
    while (at < this.buckets.length && value > (this.buckets[at] ?? 0)) at++;
    this.counts[at] = (this.counts[at] ?? 0) + weight;
  }
}

/** Distributions by label values. Holding on to {@link Histogram.labels}' answer saves looking it up. */
export class Histogram {
  readonly #names: readonly string[];
  readonly #buckets: readonly number[];
  readonly #distributions = new Map<string, Distribution>();

  constructor(names: readonly string[], buckets: readonly number[]) {
    this.#names = names;
    this.#buckets = buckets;
    if (names.length === 0) this.labels();
  }

  labels(...values: readonly string[]): Distribution {
    const key = values.join('\0');
    let distribution = this.#distributions.get(key);
    if (!distribution) this.#distributions.set(key, (distribution = new Distribution(this.#buckets)));
    return distribution;
  }

  *samples(): Iterable<Sample> {
    for (const [key, distribution] of this.#distributions)
      yield* bucketSamples(distribution, labelText(this.#names, key.split('\0')));
  }
}

/** The lines of one distribution. */
export function* bucketSamples({ counts, sum, buckets }: Distribution, labels: string): Iterable<Sample> {
  const before = labels === '' ? '' : `${labels},`;
  let total = 0;
  for (const [at, count] of counts.entries()) {
    total += count;
    const limit = numberText(buckets[at] ?? Number.POSITIVE_INFINITY);
    yield { suffix: '_bucket', labels: `${before}le="${limit}"`, value: total };
  }
  yield { suffix: '_sum', labels, value: sum };
  yield { suffix: '_count', labels, value: total };
}

/** `count` limits from `start` on, each `factor` times the one before. */
export function exponentialBuckets(start: number, factor: number, count: number): number[] {
  return Array.from({ length: count }, (_, at) => start * factor ** at);
}
