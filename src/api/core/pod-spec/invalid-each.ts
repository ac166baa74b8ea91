import { type FieldError, invalid } from '../../../machinery/field-error.ts';

/** One `Invalid value` error for every message about the value. */
export function invalidEach(field: string, value: unknown, messages: readonly string[]): FieldError[] {
  return messages.map((message) => invalid(field, value, message));
}

/** Numbers that may not be below zero. */
export function nonNegative(field: string, value: number): FieldError[] {
  return value < 0 ? [invalid(field, value, 'must be greater than or equal to 0')] : [];
}
