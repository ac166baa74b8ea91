import {
  type FieldSchema,
  type FieldType,
  type MessageSchema,
  messageSchema,
  type SchemaTable,
} from '../../machinery/schema/schema.ts';
import { type Difference, type LegacyPackage, legacyPackages } from './legacy-packages.ts';

function split(name: string): { readonly from: string; readonly message: string } {
  const dot = name.lastIndexOf('.');
  return { from: name.slice(0, dot), message: name.slice(dot + 1) };
}

/** The package of today whose message of that name the removed one resembles. */
function originOf(legacy: LegacyPackage, message: string, table: SchemaTable): string | undefined {
  return legacy.origins.map((origin) => `${origin}.${message}`).find((name) => table.has(name));
}

function movedType(of: FieldType, moved: (name: string) => string): FieldType {
  if (of.type === 'list') return { ...of, items: movedType(of.items, moved) };
  if (of.type === 'map') return { ...of, values: movedType(of.values, moved) };
  return of.type === 'message' ? { ...of, message: moved(of.message) } : of;
}

/** Without the values that a string may have: the removed versions did not publish them. */
function movedField(field: FieldSchema, moved: (name: string) => string): FieldSchema {
  const { enum: _values, ...others } = field;
  return { ...others, of: movedType(field.of, moved) };
}

function changed(fields: readonly FieldSchema[], difference: Difference): FieldSchema[] {
  const { without = [], optional = [], pointers = [], added = [] } = difference;
  const kept = fields
    .filter(({ name }) => !without.includes(name))
    .map((field) => ({
      ...field,
      ...(optional.includes(field.name) && { omitempty: true, required: false }),
      ...(pointers.includes(field.name) && { pointer: true }),
    }));
  return [...kept, ...added];
}

function derived(name: string, table: SchemaTable): MessageSchema | undefined {
  const { from, message } = split(name);
  const legacy = legacyPackages[from];
  if (!legacy) return undefined;
  const difference = legacy.differences[message] ?? {};
  if (difference.fields) return messageSchema(name, difference.fields, {});
  const origin = originOf(legacy, message, table);
  if (origin === undefined) return undefined;
  const source = table.get(origin);
  const home = split(origin).from;
  const moved = (other: string): string => {
    const reference = split(other);
    const own = reference.from === home && !legacy.shared?.includes(reference.message);
    return own ? `${from}.${reference.message}` : other;
  };
  const fields = [...source.fields.values()].map((field) => movedField(field, moved));
  const { groupVersionKind: kind, mapType } = source;
  return messageSchema(name, changed(fields, difference), {
    ...(mapType && { mapType }),
    ...(kind && {
      groupVersionKind:
        kind === 'every' ? kind : { group: legacy.group, version: legacy.version, kind: kind.kind },
    }),
  });
}

/**
 * The table with the messages of the API versions that Kubernetes has removed, derived from today's: the same fields and
 * protobuf numbers but for what {@link legacyPackages} says.
 */
export function legacySchema(table: SchemaTable): SchemaTable {
  const compiled = new Map<string, MessageSchema>();
  const find = (name: string): MessageSchema | undefined => {
    const known = compiled.get(name);
    if (known) return known;
    const message = derived(name, table);
    if (message) compiled.set(name, message);
    return message;
  };
  return {
    has: (name) => table.has(name) || find(name) !== undefined,
    get: (name) => (table.has(name) ? undefined : find(name)) ?? table.get(name),
  };
}
