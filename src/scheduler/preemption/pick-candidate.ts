import { startOf, type Candidate } from './victims.ts';

type Measure = (candidate: Candidate) => number;

/** 2³¹: added to each priority so that more victims never sum up to less. */
const offset = 2 ** 31;

/** Smaller is better; the next is asked only about those that the one before found equally good. */
const measures: readonly Measure[] = [
  ({ violations }) => violations,
  ({ victims }) => victims[0]?.priority ?? Number.NEGATIVE_INFINITY,
  ({ victims }) => victims.reduce((sum, { priority }) => sum + priority + offset, 0),
  ({ victims }) => victims.length,
  ({ victims }) => -earliestStart(victims),
];

/**
 * The candidate that does the least harm: fewest budget violations, least important victim at the top, smallest sum of
 * priorities, fewest victims, latest start of the most important ones; then the first.
 */
export function pickCandidate(candidates: readonly Candidate[]): Candidate | undefined {
  let best = candidates;
  for (const measure of measures) {
    if (best.length <= 1) break;
    const measured = best.map(measure);
    const least = measured.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
    best = best.filter((_, index) => measured[index] === least);
  }
  return best[0];
}

function earliestStart(victims: Candidate['victims']): number {
  const highest = victims[0]?.priority;
  return victims
    .filter(({ priority }) => priority === highest)
    .reduce((earliest, { pod }) => Math.min(earliest, startOf(pod)), Number.MAX_SAFE_INTEGER);
}
