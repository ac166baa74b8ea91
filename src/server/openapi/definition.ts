import { goStructName } from '../../machinery/schema/go-type.ts';
import { fieldDescription } from './descriptions.ts';
import type {
  FieldSchema,
  FieldType,
  GroupVersionKind,
  MessageSchema,
  SchemaTable,
} from '../../machinery/schema/schema.ts';

/** OpenAPI v2 knows neither defaults nor enums as upstream writes it, and `$ref` stands alone there. */
type Dialect = 'v2' | 'v3';

export type JsonSchema = Readonly<Record<string, unknown>>;

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const apiextensions = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1';

/** Types that have a definition of their own though their JSON is no object. */
const named: Readonly<
  Record<string, { readonly name: string; readonly v2: JsonSchema; readonly v3: JsonSchema }>
> = {
  time: same(`${meta}.Time`, { type: 'string', format: 'date-time' }),
  microTime: same(`${meta}.MicroTime`, { type: 'string', format: 'date-time' }),
  duration: same(`${meta}.Duration`, { type: 'string' }),
  fieldsV1: same(`${meta}.FieldsV1`, { type: 'object' }),
  raw: same('io.k8s.apimachinery.pkg.runtime.RawExtension', { type: 'object' }),
  any: same(`${apiextensions}.JSON`, {}),
  schemaOrList: same(`${apiextensions}.JSONSchemaPropsOrArray`, {}),
  schemaOrBool: same(`${apiextensions}.JSONSchemaPropsOrBool`, {}),
  schemaOrStrings: same(`${apiextensions}.JSONSchemaPropsOrStringArray`, {}),
  quantity: {
    name: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
    v2: { type: 'string' },
    v3: { oneOf: [{ type: 'string' }, { type: 'number' }] },
  },
  intOrString: {
    name: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
    v2: { type: 'string', format: 'int-or-string' },
    v3: { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
  },
};

const scalars: Readonly<Record<string, JsonSchema>> = {
  string: { type: 'string' },
  bytes: { type: 'string', format: 'byte' },
  bool: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  double: { type: 'number', format: 'double' },
};
const zeros: Readonly<Record<string, unknown>> = { string: '', bool: false, int32: 0, int64: 0, double: 0 };

function same(name: string, schema: JsonSchema): { name: string; v2: JsonSchema; v3: JsonSchema } {
  return { name, v2: schema, v3: schema };
}

/** A schema that a custom resource definition brings, and the messages that it leads to. */
export interface CustomDefinition {
  readonly v2: JsonSchema;
  readonly v3: JsonSchema;
  readonly references: readonly string[];
}

export interface DefinitionOptions {
  readonly table: SchemaTable;
  readonly dialect: Dialect;
  /** Schemas of custom resources and their lists, by name. */
  readonly custom?: ReadonlyMap<string, CustomDefinition>;
  /** What kinds that every group registers are listed under. */
  readonly groupVersions: readonly { readonly group: string; readonly version: string }[];
}

/** The definitions of these messages and of all that they lead to, sorted by name; undefined between steps of finding them. */
export function* definitionsOf(
  messages: Iterable<string>,
  options: DefinitionOptions,
): Generator<readonly [string, JsonSchema] | undefined> {
  const found = new Map<string, JsonSchema>();
  const open = [...messages];
  const visit = (of: FieldType): void => {
    if (of.type === 'list') visit(of.items);
    else if (of.type === 'map') visit(of.values);
    else if (of.type === 'message') open.push(of.message);
    else {
      const special = named[of.type];
      if (special) found.set(special.name, special[options.dialect]);
    }
  };
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (found.has(name)) continue;
    const custom = options.custom?.get(name);
    if (custom) {
      found.set(name, custom[options.dialect]);
      open.push(...custom.references);
      continue;
    }
    const message = options.table.get(name);
    found.set(name, definitionOf(message, options));
    for (const field of message.fields.values()) visit(field.of);
    yield undefined;
  }
  for (const name of [...found.keys()].sort()) yield [name, found.get(name) ?? {}];
}

function definitionOf(message: MessageSchema, options: DefinitionOptions): JsonSchema {
  const fields = [...message.fields.values()];
  // As upstream's types list them, which their numbers in protobuf mostly tell.
  const required = fields
    .filter((field) => field.required)
    .sort((a, b) => a.number - b.number)
    .map(({ name }) => name);
  const kinds = kindsOf(message, options);
  return {
    type: 'object',
    ...(required.length > 0 && { required }),
    ...(fields.length > 0 && {
      properties: Object.fromEntries(
        fields.map((field) => [field.name, describedProperty(message, field, options.dialect)]),
      ),
    }),
    ...(kinds.length > 0 && { 'x-kubernetes-group-version-kind': kinds }),
    ...(message.mapType && { 'x-kubernetes-map-type': message.mapType }),
    ...(message.unions && { 'x-kubernetes-unions': message.unions }),
  };
}

function kindsOf(message: MessageSchema, { groupVersions }: DefinitionOptions): GroupVersionKind[] {
  const own = message.groupVersionKind;
  if (own === undefined) return [];
  if (own !== 'every') return [own];
  const kind = goStructName(message.name);
  return groupVersions.map(({ group, version }) => ({ group, version, kind }));
}

function describedProperty(message: MessageSchema, field: FieldSchema, dialect: Dialect): JsonSchema {
  const description = fieldDescription(message, field.name);
  const property = propertyOf(field, dialect);
  return description === undefined ? property : { description, ...property };
}

function propertyOf(field: FieldSchema, dialect: Dialect): JsonSchema {
  return {
    ...(dialect === 'v3' && field.enum ? withEnum(field.of, field.enum) : typeOf(field.of, dialect)),
    ...(dialect === 'v3' && defaultOf(field)),
    ...(field.listMapKeys && { 'x-kubernetes-list-map-keys': field.listMapKeys }),
    ...(field.listType && { 'x-kubernetes-list-type': field.listType }),
    ...(field.mapType && { 'x-kubernetes-map-type': field.mapType }),
    ...(field.patchMergeKey && { 'x-kubernetes-patch-merge-key': field.patchMergeKey }),
    ...(field.patchStrategy && { 'x-kubernetes-patch-strategy': field.patchStrategy.join(',') }),
  };
}

function withEnum(of: FieldType, choices: readonly string[]): JsonSchema {
  if (of.type === 'list') return { type: 'array', items: withEnum(of.items, choices) };
  if (of.type === 'map') return { type: 'object', additionalProperties: withEnum(of.values, choices) };
  return { ...typeOf(of, 'v3'), enum: choices };
}

function typeOf(of: FieldType, dialect: Dialect): JsonSchema {
  switch (of.type) {
    case 'list':
      return { type: 'array', items: elementOf(of.items, dialect) };
    case 'map':
      return { type: 'object', additionalProperties: elementOf(of.values, dialect) };
    case 'message':
      return reference(of.message, dialect);
    default: {
      const special = named[of.type];
      return special ? reference(special.name, dialect) : (scalars[of.type] ?? {});
    }
  }
}

/** A reference with nothing beside it needs no `allOf`. */
function elementOf(of: FieldType, dialect: Dialect): JsonSchema {
  const type = typeOf(of, dialect);
  const all = type['allOf'];
  return Array.isArray(all) ? (all[0] as JsonSchema) : type;
}

function defaultOf(field: FieldSchema): { readonly default?: unknown } {
  if (field.default !== undefined) return { default: field.default };
  if (field.pointer) return {};
  if (field.of.type === 'message') return { default: {} };
  return !field.omitempty && Object.hasOwn(zeros, field.of.type) ? { default: zeros[field.of.type] } : {};
}

function reference(name: string, dialect: Dialect): JsonSchema {
  return dialect === 'v2'
    ? { $ref: `#/definitions/${name}` }
    : { allOf: [{ $ref: `#/components/schemas/${name}` }] };
}
