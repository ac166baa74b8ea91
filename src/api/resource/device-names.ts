import { type FieldError, invalid, required, tooLong } from '../../machinery/field-error.ts';
import {
  cIdentifierErrors,
  dns1123LabelErrors,
  dns1123SubdomainErrors,
} from '../../machinery/validation/names.ts';
import { validateDriverName } from '../core/pod-spec/driver-name.ts';
import { invalidEach } from '../core/pod-spec/invalid-each.ts';

const MAX_POOL = 253;
const MAX_ID = 32;
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The name of a device or request: an RFC 1123 label. */
export function validateLabelName(name: string, field: string): FieldError[] {
  return invalidEach(field, name, dns1123LabelErrors(name));
}

/** The name of a pool: domain names separated by slashes. */
export function validatePoolName(name: string, field: string): FieldError[] {
  if (name === '') return [required(field)];
  return [
    ...(Buffer.byteLength(name) > MAX_POOL ? [tooLong(field, MAX_POOL)] : []),
    ...name.split('/').flatMap((part) => invalidEach(field, part, dns1123SubdomainErrors(part))),
  ];
}

function validateIdentifier(id: string, field: string): FieldError[] {
  return [
    ...(Buffer.byteLength(id) > MAX_ID ? [tooLong(field, MAX_ID)] : []),
    ...invalidEach(field, id, cIdentifierErrors(id)),
  ];
}

/** The name of an attribute or capacity: an identifier, which may stand behind a domain and a slash. */
export function validateQualifiedName(name: string, field: string): FieldError[] {
  const [first = '', second, ...rest] = name.split('/');
  if (rest.length > 0) return [invalid(field, name, 'must not contain more than one slash')];
  if (second === undefined) return validateIdentifier(first, field);
  return [
    ...(first === ''
      ? [invalid(field, '', 'the domain must not be empty')]
      : validateDriverName(first, field)),
    ...(second === ''
      ? [invalid(field, '', 'the name must not be empty')]
      : validateIdentifier(second, field)),
  ];
}

/** The same with a domain. */
export function validateFullyQualifiedName(name: string, field: string): FieldError[] {
  const errors = validateQualifiedName(name, field);
  if (name.includes('/')) return errors;
  const detail = 'a fully qualified name must be a domain and a name separated by a slash';
  return [...errors, invalid(field, name, detail)];
}

/** A UUID as `crypto.randomUUID` writes it. */
export function validateUuid(id: string, field: string): FieldError[] {
  if (uuid.test(id)) return [];
  if (uuid.test(id.toLowerCase())) {
    const detail =
      'uid must be in RFC 4122 normalized form, `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx` with lowercase hexadecimal characters';
    return [invalid(field, id, detail)];
  }
  const reason = id.length === 36 ? 'invalid UUID format' : `invalid UUID length: ${id.length}`;
  return [invalid(field, id, `error validating uid: ${reason}`)];
}

/** A JSON object that is passed on as it is, of at most `max` bytes; absent or null is an error. */
export function validateRawObject(value: unknown, field: string, max: number): FieldError[] {
  if (value === undefined || value === null) return [required(field)];
  if (Buffer.byteLength(JSON.stringify(value)) > max) return [tooLong(field, max)];
  return typeof value === 'object' && !Array.isArray(value)
    ? []
    : [invalid(field, '<value omitted>', 'must be a valid JSON object')];
}
