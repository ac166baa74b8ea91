import type { FieldType } from './schema.ts';

/** What `omitempty` leaves out. */
export function isLeftOut(value: unknown, of: FieldType): boolean {
  switch (of.type) {
    case 'string':
    case 'bytes':
      return value === '';
    case 'bool':
      return value === false;
    case 'int32':
    case 'int64':
    case 'double':
      return value === 0 || value === 0n;
    case 'list':
      return (value as readonly unknown[]).length === 0;
    case 'map':
      return isEmpty(value as object);
    default:
      return false;
  }
}

function isEmpty(value: object): boolean {
  for (const key in value) if (Object.hasOwn(value, key)) return false;
  return true;
}
