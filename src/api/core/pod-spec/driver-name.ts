import { type FieldError, required, tooLong } from '../../../machinery/field-error.ts';
import { dns1123SubdomainErrors } from '../../../machinery/validation/names.ts';
import { invalidEach } from './invalid-each.ts';

const MAX_LENGTH = 63;

/** The name of a storage or device driver: a domain name of at most 63 bytes, in any case. */
export function validateDriverName(name: string, field: string): FieldError[] {
  if (name === '') return [required(field)];
  return [
    ...(Buffer.byteLength(name) > MAX_LENGTH ? [tooLong(field, MAX_LENGTH)] : []),
    ...invalidEach(field, name, dns1123SubdomainErrors(name.toLowerCase())),
  ];
}
