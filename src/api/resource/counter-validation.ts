import { type FieldError, required, tooMany } from '../../machinery/field-error.ts';
import { validateLabelName } from './device-names.ts';
import type { Counter } from './v1.gen.ts';

const MAX_COUNTERS = 32;

/** Counters by name: at least one, at most 32. */
export function validateCounters(
  counters: Readonly<Record<string, Counter>> | undefined,
  field: string,
): FieldError[] {
  const names = Object.keys(counters ?? {});
  if (names.length === 0) return [required(field)];
  if (names.length > MAX_COUNTERS) return [tooMany(field, names.length, MAX_COUNTERS)];
  return names.flatMap((name) => validateLabelName(name, field));
}
