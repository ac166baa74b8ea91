import { type FieldError, invalid } from '../../machinery/field-error.ts';
import type { IntOrString } from '../../machinery/int-or-string.ts';
import { percentErrors } from '../../machinery/validation/names.ts';
import { invalidEach, nonNegative } from '../core/pod-spec/invalid-each.ts';

/** Errors of a count or percentage of pods, which may not be negative; absent counts as zero. */
export function validateCount(value: IntOrString | undefined, field: string): FieldError[] {
  if (typeof value === 'string') return invalidEach(field, value, percentErrors(value));
  return nonNegative(field, value ?? 0);
}

/** The number in a count or percentage: 25 for `25` and `25%`; 0 for what is neither. */
export function amountOf(value: IntOrString | undefined): number {
  if (typeof value !== 'string') return value ?? 0;
  return /^[+-]?[0-9]+%?$/.test(value) ? Number.parseInt(value, 10) : 0;
}

/** The error of a percentage above 100. */
export function validateAtMostAll(value: IntOrString | undefined, field: string): FieldError[] {
  if (typeof value !== 'string' || percentErrors(value).length > 0 || amountOf(value) <= 100) return [];
  return [invalid(field, value, 'must not be greater than 100%')];
}
