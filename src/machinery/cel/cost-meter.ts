import { CelCostError } from './evaluation-error.ts';

/** Adds up what an evaluation costs and stops it (`CelCostError`) when that exceeds the limit. */
export interface CostMeter {
  readonly spent: number;
  charge(cost: number): void;
}

/** What is spent until an evaluation may rest: a fraction of a millisecond's work. */
const restEvery = 5_000;

/** A meter that starts at nothing spent. `rest` is called now and then, and may keep the evaluation waiting. */
export function costMeter(limit: number, rest?: () => void): CostMeter {
  let spent = 0;
  let next = rest ? Math.min(limit, restEvery) : limit;
  const pass = (): void => {
    if (spent > limit) throw new CelCostError();
    rest?.();
    next = Math.min(limit, spent + restEvery);
  };
  return {
    get spent() {
      return spent;
    },
    charge(cost) {
      spent += cost;
      if (spent > next) pass();
    },
  };
}
