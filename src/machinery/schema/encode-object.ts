import { encodeJson } from '../json/encode.ts';
import { sharedPart } from '../managed-fields/shared-fields.ts';
import { isLeftOut } from './omitempty.ts';
import type { Schema } from './decode.ts';
import { fieldsToWrite, isCollection } from './message-plan.ts';
import type { FieldSchema, FieldType, MessageSchema, SchemaTable } from './schema.ts';

/**
 * The object as upstream writes it: fields of the schema only; what Go always writes is there (`null` for an absent list,
 * pointer or time), what `omitempty` leaves out is not. `kind`, `apiVersion` and `metadata` first, the rest in the order of
 * Go's struct, which is that of the protobuf numbers.
 */
export function encodeObject(object: object, { table, message }: Schema): string {
  return encodeMessage(object as Readonly<Record<string, unknown>>, table.get(message), table);
}

function encodeMessage(
  object: Readonly<Record<string, unknown>>,
  message: MessageSchema,
  table: SchemaTable,
): string {
  let text = '';
  for (const { field, always, prefix } of fieldsToWrite(object, message)) {
    const value = object[field.name];
    if (value === undefined || value === null) {
      if (always) text += `${text === '' ? '' : ','}${prefix}${encodeAbsent(field, table)}`;
      continue;
    }
    const isAbsent = isLeftOut(value, field.of);
    if (isAbsent && field.omitempty && !field.pointer) continue;
    // Go does not tell an empty list from none once it was stored.
    const isNull = isAbsent && isCollection(field.of);
    text += `${text === '' ? '' : ','}${prefix}${isNull ? 'null' : encodeValue(value, field.of, table)}`;
  }
  return `{${text}}`;
}

function encodeAbsent({ of, pointer }: FieldSchema, table: SchemaTable): string {
  if (pointer) return 'null';
  switch (of.type) {
    case 'message':
      return encodeMessage({}, table.get(of.message), table);
    case 'string':
      return '""';
    case 'quantity':
      return '"0"';
    case 'duration':
      return '"0s"';
    case 'bool':
      return 'false';
    case 'int32':
    case 'int64':
    case 'double':
    case 'intOrString':
      return '0';
    default:
      return 'null';
  }
}

function encodeValue(value: unknown, of: FieldType, table: SchemaTable): string {
  switch (of.type) {
    case 'message':
      return encodeMessage(value as Readonly<Record<string, unknown>>, table.get(of.message), table);
    case 'list': {
      const items = value as readonly unknown[];
      return `[${items.map((item) => encodeValue(item, of.items, table)).join(',')}]`;
    }
    case 'map': {
      const map = value as Readonly<Record<string, unknown>>;
      let text = '';
      for (const key of sortedKeys(map)) {
        text += `${text === '' ? '' : ','}${quote(key)}:${encodeValue(map[key], of.values, table)}`;
      }
      return `{${text}}`;
    }
    case 'schemaOrList':
    case 'schemaOrBool':
    case 'schemaOrStrings':
      return encodeUnion(value, of.message, table);
    case 'int32':
    case 'int64':
    case 'double':
    case 'bool':
      return String(value);
    case 'any':
    case 'raw':
      return encodeJson(value);
    case 'fieldsV1':
      return sharedPart(value)?.text ?? encodeJson(value);
    default:
      return typeof value === 'string' ? quote(value) : String(value);
  }
}

function encodeUnion(value: unknown, message: string, table: SchemaTable): string {
  if (Array.isArray(value))
    return `[${value.map((item: unknown) => encodeUnion(item, message, table)).join(',')}]`;
  if (typeof value !== 'object' || value === null) return encodeJson(value);
  return encodeMessage(value as Readonly<Record<string, unknown>>, table.get(message), table);
}

function sortedKeys(map: object): readonly string[] {
  const keys = Object.keys(map);
  const inOrder = keys.every((key, at) => at === 0 || (keys[at - 1] ?? '') < key);
  return inOrder ? keys : keys.sort();
}

/** Most strings need no escapes. */
function quote(text: string): string {
  return needsEscape.test(text) ? JSON.stringify(text) : `"${text}"`;
}

// oxlint-disable-next-line no-control-regex
const needsEscape = /[\u0000-\u001f"\\\ud800-\udfff]/;
