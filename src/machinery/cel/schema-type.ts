import type { StructuralSchema } from '../structural/structural-schema.ts';
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  STRING,
  TIMESTAMP,
  listOf,
  mapOf,
  structType,
} from './cel-type.ts';
import type { CelType, TypeProvider } from './cel-type.ts';
import { escapeFieldName, lookUpField } from './field-names.ts';

/** The largest request that cost estimates assume, in bytes. */
export const MAX_REQUEST_BYTES: number = 3 * 1024 * 1024;

/** A property of an object in a schema. */
export interface SchemaField {
  /** As the object has it, not escaped. */
  readonly name: string;
  readonly type: SchemaType;
}

/** What a place of a structural schema is to CEL, with the sizes that cost estimates need. */
export interface SchemaType {
  readonly type: CelType;
  /** The fewest bytes that a value takes in JSON. */
  readonly minSize: number;
  /** The most characters, items or entries of a value. */
  readonly maxElements: number;
  readonly schema: StructuralSchema;
  /** Items of a list, values of a map. */
  readonly item?: SchemaType;
  /** Of an object, by escaped name. */
  readonly fields?: ReadonlyMap<string, SchemaField>;
}

/**
 * Reads a schema as upstream's `SchemaDeclType` does; undefined when expressions cannot see such values. `name` becomes the
 * name of the object's type. A resource's root also has `apiVersion`, `kind` and the names in `metadata`.
 */
export function schemaType(
  schema: StructuralSchema,
  name: string,
  place: 'root' | 'inside' = 'inside',
): SchemaType | undefined {
  if (schema.intOrString) return { type: DYN, minSize: 1, maxElements: maxLength(schema), schema };
  const isRoot = place === 'root' || schema.embeddedResource;
  switch (schema.type) {
    case 'array':
      return listType(schema, name);
    case 'object':
      return typeof schema.additionalProperties === 'object' && !isRoot
        ? mapType(schema, schema.additionalProperties, name)
        : objectType(schema, name, isRoot ? 'root' : 'inside');
    case 'string':
      return stringType(schema);
    case 'boolean':
      return { type: BOOL, minSize: 4, maxElements: 0, schema };
    case 'number':
      return { type: DOUBLE, minSize: 1, maxElements: 0, schema };
    case 'integer':
      return { type: INT, minSize: 1, maxElements: 0, schema };
    default:
      return undefined;
  }
}

function listType(schema: StructuralSchema, name: string): SchemaType | undefined {
  const item = schema.items && schemaType(schema.items, `${name}.@idx`);
  if (!item) return undefined;
  const most = Math.trunc((MAX_REQUEST_BYTES - 2) / (item.minSize + 1));
  const maxElements = Math.max(0, schema.props.maxItems ?? most);
  return { type: listOf(item.type), minSize: 2, maxElements, schema, item };
}

function mapType(schema: StructuralSchema, values: StructuralSchema, name: string): SchemaType | undefined {
  const item = schemaType(values, `${name}.@elem`);
  if (!item) return undefined;
  const most = Math.trunc((MAX_REQUEST_BYTES - 2) / (item.minSize + 6));
  const maxElements = Math.max(0, schema.props.maxProperties ?? most);
  return { type: mapOf(STRING, item.type), minSize: 2, maxElements, schema, item };
}

function objectType(schema: StructuralSchema, name: string, place: 'root' | 'inside'): SchemaType {
  const fields = new Map<string, SchemaField>();
  const required = new Set(schema.props.required);
  let minSize = 2;
  for (const property of schema.propertyNames) {
    const below = schema.property(property);
    const type = below && schemaType(below, `${name}.${property}`);
    if (!type) continue;
    const escaped = escapeFieldName(property);
    if (escaped !== undefined) fields.set(escaped, { name: property, type });
    if (required.has(property) && below.default === undefined) minSize += property.length + type.minSize + 4;
  }
  if (place === 'root') addResourceFields(fields, name);
  return { type: structType(name), minSize, maxElements: 0, schema, fields };
}

const TEXT_SCHEMA: StructuralSchema = plainSchema('string');

function plainSchema(type: string): StructuralSchema {
  return {
    type,
    nullable: false,
    intOrString: false,
    preserveUnknownFields: false,
    embeddedResource: false,
    listType: undefined,
    listMapKeys: [],
    mapType: undefined,
    propertyNames: [],
    defaultedNames: [],
    property: () => undefined,
    items: undefined,
    additionalProperties: undefined,
    rules: [],
    props: { type },
  };
}

function addResourceFields(fields: Map<string, SchemaField>, name: string): void {
  const text: SchemaType = {
    type: STRING,
    minSize: 2,
    maxElements: MAX_REQUEST_BYTES - 2,
    schema: TEXT_SCHEMA,
  };
  const names = new Map(['name', 'generateName'].map((key) => [key, { name: key, type: text }]));
  const metadata: SchemaType = {
    type: structType(`${name}.metadata`),
    minSize: 2,
    maxElements: 0,
    schema: plainSchema('object'),
    fields: names,
  };
  fields.set('kind', { name: 'kind', type: text });
  fields.set('apiVersion', { name: 'apiVersion', type: text });
  fields.set('metadata', { name: 'metadata', type: metadata });
}

function stringType(schema: StructuralSchema): SchemaType {
  switch (schema.props.format) {
    case 'byte':
      return {
        type: BYTES,
        minSize: 2,
        maxElements: Math.max(0, schema.props.maxLength ?? MAX_REQUEST_BYTES - 2),
        schema,
      };
    case 'duration':
      return { type: DURATION, minSize: 3, maxElements: 32, schema };
    case 'date':
      return { type: TIMESTAMP, minSize: 12, maxElements: 12, schema };
    case 'date-time':
      return { type: TIMESTAMP, minSize: 21, maxElements: 32, schema };
    default:
      return { type: STRING, minSize: 2, maxElements: maxLength(schema), schema };
  }
}

/** Characters of up to four bytes each; of an enumeration the longest. */
function maxLength(schema: StructuralSchema): number {
  const { maxLength: declared, enum: values = [] } = schema.props;
  if (declared !== undefined) return Math.max(0, declared) * 4;
  if (values.length === 0 || schema.intOrString) return MAX_REQUEST_BYTES - 2;
  return Math.max(0, ...values.map((value) => (typeof value === 'string' ? Buffer.byteLength(value) : 0)));
}

/** The object types inside a schema, for the checker. */
export function schemaTypes(root: SchemaType): TypeProvider {
  const objects = new Map<string, SchemaType>();
  const visit = (type: SchemaType): void => {
    if (type.item) visit(type.item);
    if (type.type.kind === 'struct') objects.set(type.type.name, type);
    for (const field of type.fields?.values() ?? []) visit(field.type);
  };
  visit(root);
  return {
    hasType: () => false,
    fieldType: (typeName, field) => lookUpField(objects.get(typeName)?.fields, field)?.type.type,
  };
}
