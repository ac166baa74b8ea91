interface Interval {
  readonly first: number;
  readonly last: number;
}

/**
 * A set of completion indexes as the status writes it: a list of intervals in ascending order that neither touch nor overlap. What
 * it costs grows with their number, not with that of the indexes.
 */
export class IndexSet implements Iterable<number> {
  /** How many indexes are in it. */
  readonly size: number;
  readonly #intervals: readonly Interval[];

  /** Intervals in any order. */
  private constructor(intervals: readonly Interval[]) {
    this.#intervals = joined(intervals);
    this.size = this.#intervals.reduce((sum, { first, last }) => sum + last - first + 1, 0);
  }

  static of(indexes: Iterable<number>): IndexSet {
    return new IndexSet(Array.from(indexes, single));
  }

  /** Reads `1,3-5,7` into its numbers below `limit`; parts that are no numbers are left out. */
  static parse(text: string | undefined, limit: number = Number.POSITIVE_INFINITY): IndexSet {
    const intervals: Interval[] = [];
    for (const part of (text ?? '').split(',')) {
      const [from = '', to = from] = part.split('-');
      if (!/^\d+$/.test(from) || !/^\d+$/.test(to)) continue;
      const [first, last] = [Number(from), Math.min(Number(to), limit - 1)];
      if (first <= last) intervals.push({ first, last });
    }
    return new IndexSet(intervals);
  }

  has(index: number): boolean {
    return this.#around(index) !== undefined;
  }

  /** The set with further indexes. */
  with(indexes: readonly number[]): IndexSet {
    const missing = indexes.filter((index) => !this.has(index));
    return missing.length === 0 ? this : new IndexSet([...this.#intervals, ...missing.map(single)]);
  }

  /** The first number from `index` on that is not in it. */
  nextAbsent(index: number): number {
    const around = this.#around(index);
    return around ? around.last + 1 : index;
  }

  /** How many indexes are in both. */
  countIn(other: IndexSet): number {
    let count = 0;
    let at = 0;
    for (const { first, last } of this.#intervals) {
      for (; at < other.#intervals.length; at++) {
        const facing = other.#intervals[at];
        if (!facing || facing.first > last) break;
        count += Math.max(0, Math.min(last, facing.last) - Math.max(first, facing.first) + 1);
        if (facing.last > last) break;
      }
    }
    return count;
  }

  *[Symbol.iterator](): Iterator<number> {
    for (const { first, last } of this.#intervals)
      for (let index = first; index <= last; index++) yield index;
  }

  /** `1,3-5,7`: three or more in a row as a range, as upstream does. */
  toString(): string {
    return this.#intervals
      .map(({ first, last }) => {
        if (first === last) return String(first);
        return `${first}${last - first > 1 ? '-' : ','}${last}`;
      })
      .join(',');
  }

  #around(index: number): Interval | undefined {
    let low = 0;
    let high = this.#intervals.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const interval = this.#intervals[middle];
      if (!interval) return undefined;
      if (index < interval.first) high = middle - 1;
      else if (index > interval.last) low = middle + 1;
      else return interval;
    }
    return undefined;
  }
}

function single(index: number): Interval {
  return { first: index, last: index };
}

function joined(intervals: readonly Interval[]): readonly Interval[] {
  const runs: { first: number; last: number }[] = [];
  for (const { first, last } of intervals.toSorted((a, b) => a.first - b.first)) {
    const run = runs.at(-1);
    if (run && first <= run.last + 1) run.last = Math.max(run.last, last);
    else runs.push({ first, last });
  }
  return runs;
}
