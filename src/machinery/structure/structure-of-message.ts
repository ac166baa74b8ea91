import type { FieldSchema, FieldType, MessageSchema, SchemaTable } from '../schema/schema.ts';
import { zeroOf } from '../schema/zero.ts';
import type { Structure } from './structure.ts';

type MapStructure = Extract<Structure, { readonly type: 'map' }>;

const derived = new WeakMap<MessageSchema, Structure>();
const scalar: Structure = { type: 'scalar' };
const text: Structure = { type: 'scalar', of: 'string' };
const numeric: Structure = { type: 'scalar', of: 'numeric' };
const boolean: Structure = { type: 'scalar', of: 'boolean' };
const untyped: Structure = { type: 'untyped' };
const freeForm: Structure = { type: 'map', atomic: false, member: () => untyped, declares: () => false };

/**
 * How objects of a message of the schema table merge, derived on first use of each message and field: list and map types as the
 * OpenAPI document has them, patch strategies where it has no list type.
 */
export function structureOfMessage(table: SchemaTable, name: string): Structure {
  const message = table.get(name);
  const known = derived.get(message);
  if (known) return known;
  const structure = messageStructure(table, message, message.mapType === 'atomic');
  derived.set(message, structure);
  return structure;
}

function messageStructure(table: SchemaTable, message: MessageSchema, atomic: boolean): MapStructure {
  const members = new Map<string, Structure>();
  return {
    type: 'map',
    atomic,
    declares: (name) => message.fields.has(name),
    member(name) {
      const known = members.get(name);
      if (known) return known;
      const field = message.fields.get(name);
      if (!field) return undefined;
      const structure = fieldStructure(table, field);
      members.set(name, structure);
      return structure;
    },
  };
}

function fieldStructure(table: SchemaTable, field: FieldSchema): Structure {
  const { of, mapType } = field;
  if (of.type === 'list') return listStructure(table, field, of.items);
  if (of.type === 'map') return mapStructure(table, of.values, mapType === 'atomic');
  if (of.type !== 'message' || mapType === undefined) return typeStructure(table, of);
  return messageStructure(table, table.get(of.message), mapType === 'atomic');
}

function mapStructure(table: SchemaTable, of: FieldType, atomic: boolean): Structure {
  const values = typeStructure(table, of);
  return { type: 'map', atomic, member: () => values, declares: () => false };
}

function listStructure(table: SchemaTable, field: FieldSchema, of: FieldType): Structure {
  const items = typeStructure(table, of);
  const merges = field.patchStrategy?.includes('merge') ?? false;
  const byPatch = field.patchMergeKey === undefined ? 'set' : 'map';
  const list = field.listType ?? (merges ? byPatch : 'atomic');
  if (list !== 'map') return { type: 'list', list, items };
  const keys = field.listMapKeys ?? (field.patchMergeKey === undefined ? [] : [field.patchMergeKey]);
  return { type: 'list', list, keys, keyDefaults: keyDefaults(table, of, keys), items };
}

/** The defaults that the OpenAPI document shows: declared ones, and the zeros of what is always written. */
function keyDefaults(table: SchemaTable, of: FieldType, keys: readonly string[]): Record<string, unknown> {
  const defaults: Record<string, unknown> = {};
  if (of.type !== 'message') return defaults;
  const { fields } = table.get(of.message);
  for (const key of keys) {
    const field = fields.get(key);
    if (!field) continue;
    if (field.default !== undefined) defaults[key] = field.default;
    else if (!field.omitempty && !field.pointer) defaults[key] = zeroOf(field.of, table);
  }
  return defaults;
}

function typeStructure(table: SchemaTable, of: FieldType): Structure {
  switch (of.type) {
    case 'message':
      return structureOfMessage(table, of.message);
    case 'list':
      return { type: 'list', list: 'atomic', items: typeStructure(table, of.items) };
    case 'map':
      return mapStructure(table, of.values, false);
    case 'fieldsV1':
      return freeForm;
    case 'any':
    case 'schemaOrList':
    case 'schemaOrBool':
    case 'schemaOrStrings':
      return untyped;
    case 'quantity':
    case 'intOrString':
    case 'raw':
      return scalar;
    case 'bool':
      return boolean;
    case 'int32':
    case 'int64':
    case 'double':
      return numeric;
    default:
      return text;
  }
}
