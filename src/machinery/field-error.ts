import { goQuote } from './go-quote.ts';
import { encodeJson } from './json/encode.ts';

/** The machine-readable kinds of `metav1.StatusCause`, as upstream's `field.ErrorType` writes them. */
export type FieldErrorReason =
  | 'FieldValueNotFound'
  | 'FieldValueRequired'
  | 'FieldValueDuplicate'
  | 'FieldValueInvalid'
  | 'FieldValueNotSupported'
  | 'FieldValueForbidden'
  | 'FieldValueTooLong'
  | 'FieldValueTooMany'
  | 'InternalError'
  | 'FieldValueTypeInvalid';

/** One thing wrong with one field. `message` is upstream's whole text without the field's path. */
export interface FieldError {
  /** Go-style path: `spec.containers[0].name`, `metadata.labels`, `data[key]`. */
  readonly field: string;
  readonly reason: FieldErrorReason;
  readonly message: string;
}

/** A value as Go's `field.Error` prints it: strings quoted, objects as JSON, absent as `null`. */
function printed(value: unknown): string {
  if (value === undefined || value === null) return 'null';
  return typeof value === 'string' ? goQuote(value) : encodeJson(value);
}

/** `Required value` errors: a field that must be set is empty. */
export function required(field: string, detail = ''): FieldError {
  return {
    field,
    reason: 'FieldValueRequired',
    message: detail ? `Required value: ${detail}` : 'Required value',
  };
}

/** `Invalid value` errors. `value` is printed as upstream does. */
export function invalid(field: string, value: unknown, detail: string): FieldError {
  return {
    field,
    reason: 'FieldValueInvalid',
    message: `Invalid value: ${printed(value)}${detail ? `: ${detail}` : ''}`,
  };
}

/** `Unsupported value` errors: lists what is supported, in the given order, as upstream does. */
export function notSupported(field: string, value: unknown, supported: readonly string[]): FieldError {
  const list = supported.map((item) => goQuote(item)).join(', ');
  const detail = supported.length > 0 ? `: supported values: ${list}` : '';
  return {
    field,
    reason: 'FieldValueNotSupported',
    message: `Unsupported value: ${printed(value)}${detail}`,
  };
}

/** `Duplicate value` errors. */
export function duplicate(field: string, value: unknown): FieldError {
  return { field, reason: 'FieldValueDuplicate', message: `Duplicate value: ${printed(value)}` };
}

/** `Forbidden` errors: the field may not be set, or not be changed, here. */
export function forbidden(field: string, detail: string): FieldError {
  return { field, reason: 'FieldValueForbidden', message: `Forbidden: ${detail}` };
}

/** `Not found` errors: a value that refers to something that is not there. */
export function notFound(field: string, value: unknown): FieldError {
  return { field, reason: 'FieldValueNotFound', message: `Not found: ${printed(value)}` };
}

/** `Too long` errors; `maxLength` in bytes. Upstream does not repeat the value. */
export function tooLong(field: string, maxLength: number): FieldError {
  return { field, reason: 'FieldValueTooLong', message: `Too long: may not be more than ${maxLength} bytes` };
}

/** `Too many` errors. */
export function tooMany(field: string, actual: number, max: number): FieldError {
  return {
    field,
    reason: 'FieldValueTooMany',
    message: `Too many: ${actual}: must have at most ${max} items`,
  };
}

/** `Invalid value` errors of a value that is of the wrong type. */
export function typeInvalid(field: string, value: unknown, detail: string): FieldError {
  return { ...invalid(field, value, detail), reason: 'FieldValueTypeInvalid' };
}
