/** A range of costs or sizes; {@link MOST} stands for everything that large. */
export interface Estimate {
  readonly min: number;
  readonly max: number;
}

/** Where upstream's 64-bit estimates end. */
export const MOST: number = 2 ** 64;

export const UNKNOWN: Estimate = { min: 0, max: MOST };

export function fixed(value: number): Estimate {
  return { min: value, max: value };
}

function capped(min: number, max: number): Estimate {
  return { min: Math.min(min, MOST), max: Math.min(max, MOST) };
}

export function plus(...estimates: readonly Estimate[]): Estimate {
  return estimates.reduce((sum, next) => capped(sum.min + next.min, sum.max + next.max), fixed(0));
}

export function times(left: Estimate, right: Estimate): Estimate {
  return capped(left.min * right.min, left.max * right.max);
}

/** Each bound times the factor, rounded up. */
export function scaled(estimate: Estimate, factor: number): Estimate {
  return capped(Math.ceil(estimate.min * factor), Math.ceil(estimate.max * factor));
}

export function union(left: Estimate, right: Estimate): Estimate {
  return { min: Math.min(left.min, right.min), max: Math.max(left.max, right.max) };
}
