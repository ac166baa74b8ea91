import { forbidden, invalid, notSupported, required, type FieldError } from '../../machinery/field-error.ts';
import { isPlainScalar } from '../../machinery/structural/plain-scalar.ts';
import type { JSONSchemaProps } from './v1.gen.ts';

const types: readonly string[] = ['array', 'boolean', 'integer', 'number', 'object', 'string'];
const metaFields: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

/** What a place inherits of those around it. */
interface Surroundings {
  readonly root?: true;
  /** Why defaults are not allowed here. */
  readonly noDefaults?: string;
  readonly insideMeta?: true;
}

/** What a schema may not say at all, whatever its structure (`ValidateCustomResourceDefinitionOpenAPISchema`). */
export function validateOpenapiSchema(
  schema: JSONSchemaProps,
  path: string,
): { readonly errors: FieldError[]; readonly unsupported: boolean } {
  const errors: FieldError[] = [];
  collect(schema, path, { root: true }, errors);
  return { errors, unsupported: isUnsupported(schema) };
}

/** Whether a keyword stands somewhere without which no structure can be read from the schema. */
function isUnsupported(schema: JSONSchemaProps): boolean {
  if (isPlainScalar(schema)) return false;
  const { items, additionalProperties } = schema;
  const nested = [
    ...Object.values(schema.properties ?? {}),
    ...(items && !isSchemaList(items) ? [items] : []),
    ...(typeof additionalProperties === 'object' ? [additionalProperties] : []),
    ...(['allOf', 'anyOf', 'oneOf'] as const).flatMap((word) => schema[word] ?? []),
    ...(schema.not ? [schema.not] : []),
  ];
  return (
    Boolean(schema.id) ||
    schema.additionalItems !== undefined ||
    schema.$ref !== undefined ||
    schema.type === 'null' ||
    isSchemaList(items) ||
    (['patternProperties', 'definitions', 'dependencies'] as const).some(
      (word) => Object.keys(schema[word] ?? {}).length > 0,
    ) ||
    nested.some(isUnsupported)
  );
}

function collect(schema: JSONSchemaProps, path: string, around: Surroundings, errors: FieldError[]): void {
  keywordErrors(schema, path, around, errors);
  const { additionalProperties, properties = {}, items } = schema;
  const { root: _root, ...inherited } = around;
  if (additionalProperties !== undefined) {
    if (Object.keys(properties).length > 0 && additionalProperties !== true) {
      const detail = 'additionalProperties and properties are mutual exclusive';
      errors.push(forbidden(`${path}.additionalProperties`, detail));
    }
    if (typeof additionalProperties === 'object') {
      const reason = 'inside additionalProperties applying to object metadata';
      const below = around.insideMeta ? { ...inherited, noDefaults: reason } : inherited;
      collect(additionalProperties, `${path}.additionalProperties`, below, errors);
    }
  }
  for (const [name, property] of sorted(properties, isPlainScalar)) {
    const isMeta = (around.root || schema['x-kubernetes-embedded-resource']) && metaFields.has(name);
    const below: Surroundings = {
      ...inherited,
      ...(isMeta && { insideMeta: true }),
      ...(isMeta && around.root && { noDefaults: `in top-level ${name}` }),
    };
    collect(property, `${path}.properties[${name}]`, below, errors);
  }
  if (schema.not) collect(schema.not, `${path}.not`, inherited, errors);
  for (const word of ['allOf', 'oneOf', 'anyOf'] as const) {
    schema[word]?.forEach((one, index) => collect(one, `${path}.${word}[${index}]`, inherited, errors));
  }
  for (const [name, one] of sorted(schema.definitions ?? {})) {
    collect(one, `${path}.definitions[${name}]`, inherited, errors);
  }
  if (isSchemaList(items)) {
    items.forEach((one, index) => collect(one, `${path}.items[${index}]`, inherited, errors));
  } else if (items) collect(items, `${path}.items`, inherited, errors);
  extensionErrors(schema, path, errors);
}

function isSchemaList(
  items: JSONSchemaProps | readonly JSONSchemaProps[] | undefined,
): items is readonly JSONSchemaProps[] {
  return Array.isArray(items);
}

function sorted<T>(map: Readonly<Record<string, T>>, without?: (value: T) => boolean): [string, T][] {
  const entries = Object.entries(map);
  const kept = without ? entries.filter(([, value]) => !without(value)) : entries;
  return kept.sort(([a], [b]) => (a < b ? -1 : 1));
}

function keywordErrors(
  schema: JSONSchemaProps,
  path: string,
  around: Surroundings,
  errors: FieldError[],
): void {
  const refuse = (name: string, detail: string): void => {
    errors.push(forbidden(`${path}.${name}`, detail));
  };
  if (around.noDefaults !== undefined && (schema.default ?? null) !== null) {
    refuse('default', `must not be set ${around.noDefaults}`);
  }
  if (schema.id) refuse('id', 'id is not supported');
  if (schema.additionalItems !== undefined) refuse('additionalItems', 'additionalItems is not supported');
  for (const word of ['patternProperties', 'definitions', 'dependencies'] as const) {
    if (Object.keys(schema[word] ?? {}).length > 0) refuse(word, `${word} is not supported`);
  }
  if (schema.$ref !== undefined) refuse('$ref', '$ref is not supported');
  if (schema.type === 'null') refuse('type', 'type cannot be set to null, use nullable as an alternative');
  if (isSchemaList(schema.items) && schema.items.length > 0) {
    refuse('items', 'items must be a schema object and not an array');
  }
  if (around.insideMeta && schema['x-kubernetes-embedded-resource']) {
    refuse('x-kubernetes-embedded-resource', 'must not be used inside of resource meta');
  }
  if (schema.type && !types.includes(schema.type)) {
    errors.push(notSupported(`${path}.type`, schema.type, types));
  }
  if (schema.uniqueItems) {
    refuse('uniqueItems', 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic');
  }
}

function extensionErrors(schema: JSONSchemaProps, path: string, errors: FieldError[]): void {
  const preserve = schema['x-kubernetes-preserve-unknown-fields'];
  if (preserve === false) {
    errors.push(invalid(`${path}.x-kubernetes-preserve-unknown-fields`, false, 'must be true or undefined'));
  }
  const mapType = schema['x-kubernetes-map-type'];
  if (mapType !== undefined) {
    typeErrors(schema, path, { wanted: 'object', extension: 'x-kubernetes-map-type' }, errors);
    if (mapType !== 'atomic' && mapType !== 'granular') {
      errors.push(notSupported(`${path}.x-kubernetes-map-type`, mapType, ['atomic', 'granular']));
    }
  }
  listTypeErrors(schema, path, errors);
}

function typeErrors(
  { type = '' }: JSONSchemaProps,
  path: string,
  { wanted, extension }: { readonly wanted: string; readonly extension: string },
  errors: FieldError[],
): void {
  if (type === wanted) return;
  const detail = `must be ${wanted} if ${extension} is specified`;
  errors.push(type === '' ? required(`${path}.type`, detail) : invalid(`${path}.type`, type, detail));
}

function listTypeErrors(schema: JSONSchemaProps, path: string, errors: FieldError[]): void {
  const listType = schema['x-kubernetes-list-type'];
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const items = isSchemaList(schema.items) ? undefined : schema.items;
  const at = `${path}.x-kubernetes-list-type`;
  if (listType !== undefined) {
    if (schema.type !== 'array') {
      typeErrors(schema, path, { wanted: 'array', extension: 'x-kubernetes-list-type' }, errors);
    } else if (listType === 'set' && items) setItemErrors(items, path, errors);
    if (!['atomic', 'set', 'map'].includes(listType)) {
      errors.push(notSupported(at, listType, ['atomic', 'set', 'map']));
    }
  }
  if (keys.length > 0 && listType !== 'map') {
    const detail = 'must be map if x-kubernetes-list-map-keys is non-empty';
    errors.push(listType === undefined ? required(at, detail) : invalid(at, listType, detail));
  }
  if (listType === 'map') mapListErrors(schema, path, errors);
  if (items && (listType === 'set' || listType === 'map')) {
    if (items.nullable) {
      const detail = `cannot be nullable when x-kubernetes-list-type is ${listType}`;
      errors.push(forbidden(`${path}.items.nullable`, detail));
    }
    if (listType === 'map') mapKeyErrors(items, keys, path, errors);
  }
}

function setItemErrors(items: JSONSchemaProps, path: string, errors: FieldError[]): void {
  const detail = 'must be atomic as item of a list with x-kubernetes-list-type=set';
  const listType = items['x-kubernetes-list-type'];
  if (items.type === 'array' && listType !== undefined && listType !== 'atomic') {
    errors.push(invalid(`${path}.items.x-kubernetes-list-type`, listType, detail));
  }
  const mapType = items['x-kubernetes-map-type'];
  if (items.type === 'object' && mapType !== 'atomic') {
    errors.push(invalid(`${path}.items.x-kubernetes-map-type`, mapType, detail));
  }
}

function mapListErrors(schema: JSONSchemaProps, path: string, errors: FieldError[]): void {
  const keys = schema['x-kubernetes-list-map-keys'] ?? [];
  const { items } = schema;
  const at = `${path}.x-kubernetes-list-map-keys`;
  if (keys.length === 0) errors.push(required(at, 'must not be empty if x-kubernetes-list-type is map'));
  if (!items) {
    errors.push(required(`${path}.items`, 'must have a schema if x-kubernetes-list-type is map'));
    return;
  }
  if (isSchemaList(items)) {
    const detail = 'must only have a single schema if x-kubernetes-list-type is map';
    errors.push(invalid(`${path}.items`, items, detail));
    return;
  }
  if (items.type !== 'object') {
    const detail = "must be object if parent array's x-kubernetes-list-type is map";
    errors.push(invalid(`${path}.items.type`, items.type ?? '', detail));
    return;
  }
  keys.forEach((key, index) => {
    const property = items.properties?.[key];
    if (!property) errors.push(invalid(at, keys, 'entries must all be names of item properties'));
    else if (property.type === 'array' || property.type === 'object') {
      const detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
      errors.push(invalid(`${path}.items.properties[${key}].type`, property.type, detail));
    }
    if (keys.indexOf(key) < index) errors.push(invalid(at, keys, 'must not contain duplicate entries'));
  });
}

function mapKeyErrors(
  items: JSONSchemaProps,
  keys: readonly string[],
  path: string,
  errors: FieldError[],
): void {
  for (const key of keys) {
    const property = items.properties?.[key];
    if (!property) continue;
    const at = `${path}.items.properties[${key}]`;
    if (!items.required?.includes(key) && (property.default ?? null) === null) {
      const detail =
        'this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property';
      errors.push(required(`${at}.default`, detail));
    }
    if (property.nullable) {
      const detail = 'this property is in x-kubernetes-list-map-keys, so it cannot be nullable';
      errors.push(forbidden(`${at}.nullable`, detail));
    }
  }
}
