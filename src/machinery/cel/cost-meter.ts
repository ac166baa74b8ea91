import { CelCostError } from './evaluation-error.ts';

/** Adds up what an evaluation costs and stops it (`CelCostError`) when that exceeds the limit. */
export interface CostMeter {
  readonly spent: number;
  charge(cost: number): void;
}

/** A meter that starts at nothing spent. */
export function costMeter(limit: number): CostMeter {
  let spent = 0;
  return {
    get spent() {
      return spent;
    },
    charge(cost) {
      spent += cost;
      if (spent > limit) throw new CelCostError();
    },
  };
}
