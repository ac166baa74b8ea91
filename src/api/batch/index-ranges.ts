/** Indexes as a job writes them: `1,3-5,7`. Ascending, ranges inclusive. */
export type IndexRange = readonly [first: number, last: number];

/** Reads `1,3-5,7`; every index must be below `limit`. Throws `RangeError` with upstream's wording. */
export function parseIndexRanges(text: string, limit: number): IndexRange[] {
  if (text === '') return [];
  let previous = -1;
  return text.split(',').map((part) => {
    const [first = '', last = first, ...rest] = part.split('-');
    if (rest.length > 0)
      throw new RangeError(
        `the fragment ${JSON.stringify(part)} violates the requirement that an index interval can have at most two parts separated by '-'`,
      );
    const ends = [first, last].map((digits) => {
      if (!/^[0-9]+$/.test(digits))
        throw new RangeError(`cannot convert string to integer for index: "${digits}"`);
      if (Number(digits) >= limit) throw new RangeError(`too large index: "${digits}"`);
      return Number(digits);
    });
    const [from = 0, to = 0] = ends;
    if (from <= previous)
      throw new RangeError(`non-increasing order, previous: ${previous}, current: ${from}`);
    if (part.includes('-') && to <= from) {
      throw new RangeError(`non-increasing order, previous: ${from}, current: ${to}`);
    }
    previous = to;
    return [from, to];
  });
}

/** How many indexes the ranges hold. */
export function countIndexes(ranges: readonly IndexRange[]): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

/** The lowest index that is in both. */
export function firstOverlap(a: readonly IndexRange[], b: readonly IndexRange[]): number | undefined {
  for (const [first, last] of a) {
    const hit = b.find(([from, to]) => from <= last && to >= first);
    if (hit) return Math.max(first, hit[0]);
  }
  return undefined;
}
