import type { Clock } from '../../../base/clock.ts';
import type { FunctionMap } from '../template-function.ts';
import { listFunctions } from './list-functions.ts';
import { mapFunctions } from './map-functions.ts';
import { stringFunctions } from './string-functions.ts';
import { timeFunctions } from './time-functions.ts';
import { valueFunctions } from './value-functions.ts';

/** The functions of Masterminds/sprig that templates commonly use, and Helm's `toYaml`, `fromYaml` and `required`. */
export function sprigFunctions(clock: Clock): FunctionMap {
  return {
    ...stringFunctions,
    ...listFunctions,
    ...mapFunctions,
    ...valueFunctions,
    ...timeFunctions(clock),
  };
}
