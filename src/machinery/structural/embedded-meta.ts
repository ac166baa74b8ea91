import { invalid, required, type FieldError } from '../field-error.ts';
import type { DeepMutable } from '../object.ts';
import type { ObjectMeta } from '../meta/v1.gen.ts';
import { isObject } from '../patch/json-value.ts';
import { DecodeError } from '../schema/decode-error.ts';
import { decodeValue } from '../schema/decode.ts';
import type { SchemaTable } from '../schema/schema.ts';
import { dns1035LabelErrors, nameRule, pathSegmentNameErrors } from '../validation/names.ts';
import { validateObjectMeta } from '../validation/object-meta.ts';
import type { StructuralSchema } from './structural-schema.ts';

type Mutable = Record<string, unknown>;

const metaMessage = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';

/** Metadata read by its own schema, with the paths of fields that it does not have. Throws `DecodeError`. */
export function readMeta(
  value: unknown,
  table: SchemaTable,
): { readonly meta: DeepMutable<ObjectMeta>; readonly unknown: readonly string[] } {
  if (!isObject(value)) {
    const found = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value;
    throw new DecodeError(`json: cannot unmarshal ${found} into Go value of type v1.ObjectMeta`);
  }
  const { object, strict } = decodeValue(value, { table, message: metaMessage });
  const unknown = strict.flatMap((text) => /^unknown field "(.*)"$/.exec(text)?.[1] ?? []);
  return { meta: object, unknown };
}

/** What is to be done with what is no metadata: requests are refused, stored objects keep what can be read. */
export type OnMalformed = 'throw' | 'drop';

interface Coercing {
  readonly table: SchemaTable;
  readonly malformed: OnMalformed;
  readonly unknown: string[];
}

/**
 * Coerces, in place, `metadata` of the resources embedded in an object; returns the paths of fields that metadata does not
 * have, in ascending order. Throws `DecodeError`.
 */
export function coerceEmbedded(
  object: Mutable,
  schema: StructuralSchema,
  options: { readonly table: SchemaTable; readonly malformed: OnMalformed },
): string[] {
  const unknown: string[] = [];
  coerceMembers(object, schema, { path: '', isResource: false, coercing: { ...options, unknown } });
  return unknown.sort();
}

interface Place {
  readonly path: string;
  readonly isResource: boolean;
  readonly coercing: Coercing;
}

function coerce(value: unknown, schema: StructuralSchema | undefined, place: Place): void {
  if (!schema) return;
  if (Array.isArray(value)) {
    value.forEach((item: unknown, index) => {
      const isResource = schema.items?.embeddedResource ?? false;
      coerce(item, schema.items, { ...place, path: `${place.path}[${index}]`, isResource });
    });
  } else if (isObject(value)) coerceMembers(value, schema, place);
}

function coerceMembers(object: Mutable, schema: StructuralSchema, place: Place): void {
  for (const name of Object.keys(object)) {
    const path = place.path === '' ? name : `${place.path}.${name}`;
    if (place.isResource && (name === 'apiVersion' || name === 'kind' || name === 'metadata')) {
      if (name === 'metadata') coerceMeta(object, path, place.coercing);
      else if (typeof object[name] !== 'string') refuse(object, name, { ...place, path });
      continue;
    }
    const { additionalProperties } = schema;
    const below =
      schema.property(name) ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
    coerce(object[name], below, { ...place, path, isResource: below?.embeddedResource ?? false });
  }
}

function refuse(object: Mutable, name: string, { path, coercing }: Place): void {
  if (coercing.malformed === 'throw') {
    throw new DecodeError(`${path}: ${invalid(path, object[name], 'must be a string').message}`);
  }
  Reflect.deleteProperty(object, name);
}

function coerceMeta(object: Mutable, path: string, coercing: Coercing): void {
  if (object['metadata'] === null) return;
  try {
    const { meta, unknown } = readMeta(object['metadata'], coercing.table);
    object['metadata'] = meta;
    coercing.unknown.push(...unknown.map((name) => `${path}.${name}`));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    if (coercing.malformed === 'throw') {
      throw new DecodeError(`${path}: ${invalid(path, object['metadata'], error.message).message}`, {
        cause: error,
      });
    }
  }
}

/** What is wrong with the type and metadata of the resources embedded in a value. */
export function validateEmbedded(
  value: unknown,
  schema: StructuralSchema | undefined,
  options: { readonly path: string; readonly table: SchemaTable; readonly isResource?: boolean },
): FieldError[] {
  if (!schema) return [];
  const { path, table } = options;
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown, index) =>
      validateEmbedded(item, schema.items, { path: `${path}[${index}]`, table }),
    );
  }
  if (!isObject(value)) return [];
  const own = schema.embeddedResource || options.isResource ? validateResource(value, path, table) : [];
  const { additionalProperties } = schema;
  return Object.keys(value)
    .sort()
    .reduce<FieldError[]>((errors, name) => {
      const known = schema.property(name);
      const below = known ?? (typeof additionalProperties === 'object' ? additionalProperties : undefined);
      if (!below) return errors;
      const at = known ? childPath(path, name) : `${path}[${name}]`;
      errors.push(...validateEmbedded(value[name], below, { path: at, table }));
      return errors;
    }, own);
}

function childPath(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

const pathSegmentRule = nameRule(pathSegmentNameErrors);

function validateResource(
  object: Readonly<Record<string, unknown>>,
  path: string,
  table: SchemaTable,
): FieldError[] {
  const { apiVersion, kind, metadata } = object;
  const errors: FieldError[] = [];
  const at = (name: string): string => childPath(path, name);
  if (apiVersion === undefined) errors.push(required(at('apiVersion')));
  if (kind === undefined) errors.push(required(at('kind')));
  if (apiVersion !== undefined) {
    if (typeof apiVersion !== 'string')
      errors.push(invalid(at('apiVersion'), apiVersion, 'must be a string'));
    else if (apiVersion === '') errors.push(invalid(at('apiVersion'), apiVersion, 'must not be empty'));
    else if (apiVersion.split('/').length > 2) {
      errors.push(invalid(at('apiVersion'), apiVersion, `unexpected GroupVersion string: ${apiVersion}`));
    }
  }
  if (kind !== undefined) {
    if (typeof kind !== 'string') errors.push(invalid(at('kind'), kind, 'must be a string'));
    else if (kind === '') errors.push(invalid(at('kind'), kind, 'must not be empty'));
    else {
      const problems = dns1035LabelErrors(kind.toLowerCase());
      const detail = `may have mixed case, but should otherwise match: ${problems.join(',')}`;
      if (problems.length > 0) errors.push(invalid(at('kind'), kind, detail));
    }
  }
  if (metadata === undefined) return errors;
  try {
    const { meta } = readMeta(metadata ?? {}, table);
    const named = { ...meta, name: meta.name || 'fakename' };
    const rules = { namespaced: Boolean(meta.namespace), name: pathSegmentRule, qualifiedFinalizers: false };
    errors.push(...validateObjectMeta(named, rules, at('metadata')));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    errors.push(invalid(at('metadata'), metadata, error.message));
  }
  return errors;
}
