import { type FieldError, invalid } from '../../../machinery/field-error.ts';

/** `..` as a path element, reported once. */
export function backstepErrors(field: string, path: string): FieldError[] {
  return path.split('/').includes('..') ? [invalid(field, path, "must not contain '..'")] : [];
}

/** A path that must be relative and must not leave its directory. */
export function descendingPathErrors(field: string, path: string): FieldError[] {
  const absolute = path.startsWith('/') ? [invalid(field, path, 'must be a relative path')] : [];
  return [...absolute, ...backstepErrors(field, path)];
}

/** As {@link descendingPathErrors}, and names that begin with `..` are reserved. */
export function nonReservedPathErrors(field: string, path: string): FieldError[] {
  const reserved = path.startsWith('..') && path !== '..' && !path.startsWith('../');
  return [
    ...descendingPathErrors(field, path),
    ...(reserved ? [invalid(field, path, "must not start with '..'")] : []),
  ];
}
