import { isDeepStrictEqual } from 'node:util';
import { forbidden, invalid, required, type FieldError } from '../../machinery/field-error.ts';
import { isPlainScalar } from '../../machinery/structural/plain-scalar.ts';
import type { JSONSchemaProps } from './v1.gen.ts';

type Level = 'root' | 'item' | 'field';

const missingType: Readonly<Record<Level, string>> = {
  root: 'must not be empty at the root',
  item: 'must not be empty for specified array items',
  field: 'must not be empty for specified object fields',
};

const intOrString: readonly JSONSchemaProps[] = [{ type: 'integer' }, { type: 'string' }];

/** What keeps a schema from being structural (KEP 1693), in order of the messages. */
export function validateStructural(schema: JSONSchemaProps, path: string): FieldError[] {
  const errors: FieldError[] = [];
  invariants(schema, { level: 'root', path, errors });
  completeness(schema, schema, { schemaPath: path, path, errors });
  const textOf = ({ field, message }: FieldError): string => `${field}: ${message}`;
  return errors.sort((a, b) => (textOf(a) < textOf(b) ? -1 : 1));
}

interface Place {
  readonly level: Level;
  readonly path: string;
  readonly errors: FieldError[];
}

function itemsOf({ items }: JSONSchemaProps): JSONSchemaProps | undefined {
  return Array.isArray(items) ? undefined : (items as JSONSchemaProps | undefined);
}

function invariants(schema: JSONSchemaProps, place: Place): void {
  const { level, path, errors } = place;
  const { type = '', properties = {}, additionalProperties } = schema;
  const items = itemsOf(schema);
  if (type === 'array' && !schema.items) errors.push(required(`${path}.items`, 'must be specified'));
  if (items) invariants(items, { level: 'item', path: `${path}.items`, errors });
  for (const [name, property] of Object.entries(properties)) {
    if (isPlainScalar(property)) continue;
    invariants(property, { level: 'field', path: `${path}.properties[${name}]`, errors });
  }
  if (additionalProperties !== undefined) {
    const at = `${path}.additionalProperties`;
    if (level === 'root') errors.push(forbidden(at, 'must not be used at the root'));
    if (typeof additionalProperties === 'object') {
      invariants(additionalProperties, { level: 'field', path: at, errors });
    }
  }
  conditionInvariants(schema, place, skipped(schema));
  const embedded = schema['x-kubernetes-embedded-resource'] ?? false;
  const typeless = schema['x-kubernetes-int-or-string'] || schema['x-kubernetes-preserve-unknown-fields'];
  if (embedded && type !== 'object') {
    const detail = 'must be object if x-kubernetes-embedded-resource is true';
    errors.push(type === '' ? required(`${path}.type`, detail) : invalid(`${path}.type`, type, detail));
  } else if (type === '' && !typeless) errors.push(required(`${path}.type`, missingType[level]));
  if (embedded && additionalProperties !== undefined) {
    const detail = 'must not be used if x-kubernetes-embedded-resource is set';
    errors.push(forbidden(`${path}.additionalProperties`, detail));
  }
  if (level === 'root' && type !== '' && type !== 'object') {
    errors.push(invalid(`${path}.type`, type, 'must be object at the root'));
  }
  metaInvariants(schema, place);
  if (embedded && !schema['x-kubernetes-preserve-unknown-fields'] && Object.keys(properties).length === 0) {
    const detail =
      'must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields';
    errors.push(required(`${path}.properties`, detail));
  }
}

function metaInvariants(schema: JSONSchemaProps, { level, path, errors }: Place): void {
  const { properties = {} } = schema;
  if (level !== 'root' && !schema['x-kubernetes-embedded-resource']) return;
  for (const name of ['kind', 'apiVersion']) {
    const property = properties[name];
    if (property && property.type !== 'string') {
      errors.push(invalid(`${path}.properties[${name}].type`, property.type ?? '', 'must be string'));
    }
  }
  const { metadata } = properties;
  if (!metadata) return;
  const at = `${path}.properties[metadata]`;
  if (metadata.type !== 'object') errors.push(invalid(`${at}.type`, metadata.type ?? '', 'must be object'));
  if (level !== 'root') return;
  const { type: _type, default: _default, properties: members = {}, ...rest } = metadata;
  const named = Object.keys(members).every((name) => name === 'name' || name === 'generateName');
  if (!named || Object.keys(rest).length > 0) {
    const detail =
      'must not specify anything other than name and generateName, but metadata is implicitly specified';
    errors.push(forbidden(at, detail));
  }
}

/** The two shapes in which int-or-string may say `type` in `anyOf`. */
interface Skipped {
  readonly anyOf?: boolean;
  readonly firstAllOf?: boolean;
}

function skipped(schema: JSONSchemaProps): Skipped {
  if (!schema['x-kubernetes-int-or-string']) return {};
  if (isDeepStrictEqual(schema.anyOf, intOrString)) return { anyOf: true };
  return { firstAllOf: isDeepStrictEqual(schema.allOf?.[0]?.anyOf, intOrString) };
}

function conditionInvariants(schema: JSONSchemaProps, { path, errors }: Place, skip: Skipped): void {
  if (!skip.anyOf) {
    schema.anyOf?.forEach((one, index) => nestedInvariants(one, `${path}.anyOf[${index}]`, errors));
  }
  schema.allOf?.forEach((one, index) => {
    const anyOf = skip.firstAllOf === true && index === 0;
    nestedInvariants(one, `${path}.allOf[${index}]`, errors, { anyOf });
  });
  schema.oneOf?.forEach((one, index) => nestedInvariants(one, `${path}.oneOf[${index}]`, errors));
  if (schema.not) nestedInvariants(schema.not, `${path}.not`, errors);
}

const empty = 'must be empty to be structural';
const absent = 'must be undefined to be structural';
const off = 'must be false to be structural';

/** Keywords that belong to the structure alone, and what is said of them elsewhere. */
const structuralKeywords: readonly (readonly [keyof JSONSchemaProps, string])[] = [
  ['type', empty],
  ['additionalProperties', absent],
  ['default', absent],
  ['title', empty],
  ['description', empty],
  ['nullable', off],
  ['x-kubernetes-preserve-unknown-fields', off],
  ['x-kubernetes-embedded-resource', off],
  ['x-kubernetes-int-or-string', off],
  ['x-kubernetes-list-type', absent],
  ['x-kubernetes-list-map-keys', absent],
  ['x-kubernetes-map-type', absent],
  ['x-kubernetes-validations', empty],
];

function nestedInvariants(
  schema: JSONSchemaProps,
  path: string,
  errors: FieldError[],
  skip: Skipped = {},
): void {
  conditionInvariants(schema, { level: 'field', path, errors }, skip);
  const items = itemsOf(schema);
  if (items) nestedInvariants(items, `${path}.items`, errors);
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    nestedInvariants(property, `${path}.properties[${name}]`, errors);
  }
  for (const [keyword, detail] of structuralKeywords) {
    const value = schema[keyword];
    if (value === undefined || value === null || value === '') continue;
    if (Array.isArray(value) && value.length === 0) continue;
    if (value === false && keyword !== 'additionalProperties' && keyword !== 'default') continue;
    errors.push(forbidden(`${path}.${keyword}`, detail));
  }
  if (schema.properties && Object.hasOwn(schema.properties, 'metadata')) {
    errors.push(forbidden(`${path}.properties[metadata]`, 'must not be specified in a nested context'));
  }
}

interface Pair {
  readonly schemaPath: string;
  readonly path: string;
  readonly errors: FieldError[];
}

/** What the conditions of the root mention must stand in its structure, too. */
function completeness(
  conditions: JSONSchemaProps,
  schema: JSONSchemaProps,
  { schemaPath, path, errors }: Pair,
): void {
  const nested: (readonly [JSONSchemaProps, string])[] = [
    ...(conditions.not ? [[conditions.not, `${path}.not`] as const] : []),
    ...(['allOf', 'anyOf', 'oneOf'] as const).flatMap((word) =>
      (conditions[word] ?? []).map((one, index) => [one, `${path}.${word}[${index}]`] as const),
    ),
  ];
  for (const [one, at] of nested) nestedCompleteness(one, schema, { schemaPath, path: at, errors });
}

function nestedCompleteness(
  conditions: JSONSchemaProps,
  schema: JSONSchemaProps | undefined,
  { schemaPath, path, errors }: Pair,
): void {
  if (!schema) {
    errors.push(required(schemaPath, `because it is defined in ${path}`));
    return;
  }
  completeness(conditions, schema, { schemaPath, path, errors });
  const items = itemsOf(conditions);
  if (items)
    nestedCompleteness(items, itemsOf(schema), {
      schemaPath: `${schemaPath}.items`,
      path: `${path}.items`,
      errors,
    });
  for (const [name, property] of Object.entries(conditions.properties ?? {}))
    nestedCompleteness(property, schema.properties?.[name], {
      schemaPath: `${schemaPath}.properties[${name}]`,
      path: `${path}.properties[${name}]`,
      errors,
    });
}
