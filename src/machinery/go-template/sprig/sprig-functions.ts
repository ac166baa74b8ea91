import type { Clock } from '../../../base/clock.ts';
import type { FunctionMap } from '../template-function.ts';
import { listFunctions } from './list-functions.ts';
import { mapFunctions } from './map-functions.ts';

/** The functions of Masterminds/sprig that templates commonly use. */
export function sprigFunctions(_clock: Clock): FunctionMap {
  return { ...listFunctions, ...mapFunctions };
}
