/** One measured figure; `limit` is what the machine can do at most, measured in the same run. */
export interface BenchRow {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly limit?: number;
}

/** Takes one figure as soon as it is known. */
export type Report = (row: BenchRow) => void;

/** The `share`-quantile of some figures: 0.5 is the median. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
