import type { Schema } from './decode.ts';
import { fieldsToWrite, isCollection } from './message-plan.ts';
import { isLeftOut } from './omitempty.ts';
import type { FieldSchema, FieldType, MessageSchema, SchemaTable } from './schema.ts';

type Members = Readonly<Record<string, unknown>>;

/**
 * The object that `encodeObject` would write, as a value: with what Go always writes, without what it leaves out. Shares with
 * the object what is the same in both.
 */
export function writtenObject(object: object, { table, message }: Schema): Members {
  return writtenMessage(object as Members, table.get(message), table);
}

function writtenMessage(object: Members, message: MessageSchema, table: SchemaTable): Members {
  const result: Record<string, unknown> = {};
  for (const { field, always } of fieldsToWrite(object, message)) {
    const value = object[field.name];
    if (value === undefined || value === null) {
      if (always) result[field.name] = absent(field, table);
      continue;
    }
    const isAbsent = isLeftOut(value, field.of);
    if (isAbsent && field.omitempty && !field.pointer) continue;
    result[field.name] = isAbsent && isCollection(field.of) ? null : written(value, field.of, table);
  }
  return result;
}

function absent({ of, pointer }: FieldSchema, table: SchemaTable): unknown {
  if (pointer) return null;
  switch (of.type) {
    case 'message':
      return writtenMessage({}, table.get(of.message), table);
    case 'string':
      return '';
    case 'quantity':
      return '0';
    case 'duration':
      return '0s';
    case 'bool':
      return false;
    case 'int32':
    case 'int64':
    case 'double':
    case 'intOrString':
      return 0;
    default:
      return null;
  }
}

function written(value: unknown, of: FieldType, table: SchemaTable): unknown {
  switch (of.type) {
    case 'message':
      return writtenMessage(value as Members, table.get(of.message), table);
    case 'list':
      return isPlain(of.items)
        ? value
        : (value as readonly unknown[]).map((item) => written(item, of.items, table));
    case 'map': {
      if (isPlain(of.values)) return value;
      const result: Record<string, unknown> = {};
      for (const [name, member] of Object.entries(value as Members)) {
        Object.defineProperty(result, name, {
          value: written(member, of.values, table),
          enumerable: true,
          writable: true,
          configurable: true,
        });
      }
      return result;
    }
    case 'schemaOrList':
    case 'schemaOrBool':
    case 'schemaOrStrings':
      return writtenUnion(value, of.message, table);
    default:
      return value;
  }
}

function writtenUnion(value: unknown, message: string, table: SchemaTable): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => writtenUnion(item, message, table));
  if (typeof value !== 'object' || value === null) return value;
  return writtenMessage(value as Members, table.get(message), table);
}

/** Of values that are written as they are. */
function isPlain({ type }: FieldType): boolean {
  return type !== 'message' && type !== 'list' && type !== 'map' && !type.startsWith('schemaOr');
}
