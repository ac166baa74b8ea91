interface Step {
  /** A cluster with fewer nodes goes one step down. */
  readonly from: number;
  /** A cluster with more nodes goes one step up. */
  readonly to: number;
  readonly seconds: number;
}

/** The sizes overlap so that one node more or less does not make all nodes change back and forth. */
const steps: readonly Step[] = [
  { from: 0, to: 100, seconds: 0 },
  { from: 90, to: 500, seconds: 15 },
  { from: 450, to: 1000, seconds: 30 },
  { from: 900, to: 2000, seconds: 60 },
  { from: 1800, to: 10_000, seconds: 300 },
  { from: 9000, to: Number.POSITIVE_INFINITY, seconds: 600 },
];

/** The step of a cluster of that many nodes that was on step `current` (0 at first). */
export function nextStep(current: number, nodeCount: number): number {
  let at = current;
  while (nodeCount > (steps[at]?.to ?? Number.POSITIVE_INFINITY)) at += 1;
  while (nodeCount < (steps[at]?.from ?? 0)) at -= 1;
  return at;
}

/** How many seconds nodes may keep secrets and config maps without asking again. */
export function secondsOf(step: number): number {
  return steps[step]?.seconds ?? 0;
}
