/**
 * A field of an object schema: a type by name, a schema written out (it has `type` with a JSON type, or `enum`), the fields
 * of an object, or a list of one of these. A name that begins with `!` is required. `strings` is a map of strings,
 * `anything` whatever there is.
 */
export type SchemaField =
  | 'string'
  | 'boolean'
  | 'integer'
  | 'number'
  | 'strings'
  | 'anything'
  | { readonly enum: readonly string[] }
  | ({ readonly type: 'string' | 'integer' | 'array' } & Readonly<Record<string, unknown>>)
  | readonly [SchemaField]
  | SchemaFields;

export interface SchemaFields {
  readonly [name: string]: SchemaField;
}

type Schema = Readonly<Record<string, unknown>>;

/** The OpenAPI v3 schema of an object with these fields. */
export function schemaOf(fields: SchemaFields): Schema {
  const names = Object.keys(fields);
  const required = names.filter((name) => name.startsWith('!')).map((name) => name.slice(1));
  return {
    type: 'object',
    properties: Object.fromEntries(
      Object.entries(fields).map(([name, field]) => [name.replace('!', ''), fieldSchema(field)]),
    ),
    ...(required.length > 0 && { required }),
  };
}

function fieldSchema(field: SchemaField): Schema {
  if (field === 'strings') return { type: 'object', additionalProperties: { type: 'string' } };
  if (field === 'anything') return { 'x-kubernetes-preserve-unknown-fields': true };
  if (typeof field === 'string') return { type: field };
  if (isList(field)) return { type: 'array', items: fieldSchema(field[0]) };
  if (Array.isArray(field['enum'])) return { type: 'string', enum: field['enum'] as unknown[] };
  if (isWrittenOut(field)) return field;
  return schemaOf(field);
}

function isList(field: SchemaField): field is readonly [SchemaField] {
  return Array.isArray(field);
}

/** `type: 'string'` alone is a field named `type`; with more beside it, it is a schema. */
function isWrittenOut(field: object): field is Schema {
  if (!('type' in field) || typeof field.type !== 'string') return false;
  return ['default', 'minimum', 'maximum', 'format', 'items'].some((word) => word in field);
}
