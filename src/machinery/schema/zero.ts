import type { FieldType, MessageSchema, SchemaTable } from './schema.ts';

/** What Go holds in a value of this type that nothing was put into; undefined where it prints `null`. */
export function zeroOf(of: FieldType, table: SchemaTable): unknown {
  switch (of.type) {
    case 'string':
    case 'bytes':
      return '';
    case 'bool':
      return false;
    case 'int32':
    case 'int64':
    case 'double':
    case 'intOrString':
      return 0;
    case 'quantity':
      return '0';
    case 'duration':
      return '0s';
    case 'list':
      return [];
    case 'map':
      return {};
    case 'message': {
      const object = {};
      fillZeros(object, table.get(of.message), table);
      return object;
    }
    default:
      return undefined;
  }
}

/** Adds the fields that are always there: `status: {}`, `name: ""`, `endpoints: []`. Absent pointers stay absent. */
export function fillZeros(object: Record<string, unknown>, message: MessageSchema, table: SchemaTable): void {
  for (const field of message.alwaysWritten) {
    if (field.pointer || object[field.name] !== undefined) continue;
    const zero = zeroOf(field.of, table);
    if (zero !== undefined) object[field.name] = zero;
  }
}
