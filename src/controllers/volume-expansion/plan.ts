import type { PersistentVolumeClaim } from '../../api/core/v1.gen.ts';
import { compareQuantities, parseQuantity } from '../../machinery/quantity.ts';

/** Whether a bound claim asks for more than its volume holds. */
export function wantsToGrow({ spec, status }: PersistentVolumeClaim): boolean {
  const requested = spec.resources?.requests?.['storage'];
  const held = status?.capacity?.['storage'];
  if (status?.phase !== 'Bound' || requested === undefined || held === undefined) return false;
  return compareQuantities(parseQuantity(requested), parseQuantity(held)) > 0;
}
