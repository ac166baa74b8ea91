/** Reads `1,3-5,7` into its numbers below `limit`; parts that are no numbers are left out. */
export function parseIndexes(
  text: string | undefined,
  limit: number = Number.POSITIVE_INFINITY,
): Set<number> {
  const indexes = new Set<number>();
  for (const part of (text ?? '').split(',')) {
    const [first = '', last = first] = part.split('-');
    if (!/^\d+$/.test(first) || !/^\d+$/.test(last)) continue;
    const end = Math.min(Number(last), limit - 1);
    for (let index = Number(first); index <= end; index++) indexes.add(index);
  }
  return indexes;
}

/** Writes numbers as `1,3-5,7`: runs of three or more as a range, as upstream does. */
export function formatIndexes(indexes: Iterable<number>): string {
  const runs: { first: number; last: number }[] = [];
  for (const index of [...new Set(indexes)].sort((a, b) => a - b)) {
    const run = runs.at(-1);
    if (run && run.last + 1 === index) run.last = index;
    else runs.push({ first: index, last: index });
  }
  return runs
    .map(({ first, last }) => {
      if (first === last) return String(first);
      return `${first}${last - first > 1 ? '-' : ','}${last}`;
    })
    .join(',');
}
