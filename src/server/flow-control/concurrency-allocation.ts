/** What one priority level may get of the server's seats, and would like to. */
export interface SeatClaim {
  readonly lower: number;
  readonly upper: number;
  readonly target: number;
}

/** What each claim gets, and the fraction of the targets that it is where no bound says otherwise. */
export interface SeatAllocation {
  readonly seats: readonly number[];
  readonly fraction: number;
}

/**
 * Divides seats in proportion to targets, within the bounds of each claim: all get the same fraction of their target, as far
 * as their bounds allow (upstream's `computeConcurrencyAllocation`). Bounds win over the sum.
 */
export function allocateSeats(total: number, claims: readonly SeatClaim[]): SeatAllocation {
  const given = (fraction: number): number[] =>
    claims.map(({ lower, upper, target }) => Math.min(upper, Math.max(lower, fraction * target)));
  const sum = (seats: readonly number[]): number => seats.reduce((a, b) => a + b, 0);
  let low = 0;
  let high = 1;
  while (sum(given(high)) < total && high < 2 ** 40) high *= 2;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (sum(given(middle)) < total) low = middle;
    else high = middle;
  }
  return { fraction: high, seats: given(high).map((seats) => Math.round(seats)) };
}
