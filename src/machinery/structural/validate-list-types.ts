import { duplicate, invalid, type FieldError } from '../field-error.ts';
import { toCompactJson } from '../json/to-json.ts';
import { isObject } from '../patch/json-value.ts';
import type { StructuralSchema } from './structural-schema.ts';

/** Duplicates in sets and map lists (`x-kubernetes-list-type`). */
export function validateListTypes(
  value: unknown,
  schema: StructuralSchema | undefined,
  path: string,
): FieldError[] {
  if (!schema) return [];
  if (Array.isArray(value)) {
    return [
      ...listErrors(value, schema, path),
      ...value.flatMap((item: unknown, index) => validateListTypes(item, schema.items, `${path}[${index}]`)),
    ];
  }
  if (!isObject(value)) return [];
  const { additionalProperties } = schema;
  return Object.keys(value)
    .sort()
    .flatMap((name) => {
      const member = value[name];
      if (typeof member !== 'object' || member === null) return [];
      const known = schema.property(name);
      if (known) return validateListTypes(member, known, path === '' ? name : `${path}.${name}`);
      return typeof additionalProperties === 'object'
        ? validateListTypes(member, additionalProperties, `${path}[${name}]`)
        : [];
    });
}

function listErrors(items: readonly unknown[], schema: StructuralSchema, path: string): FieldError[] {
  if (schema.listType !== 'set' && schema.listType !== 'map') return [];
  const seen = new Set<string>();
  const reported = new Set<string>();
  const errors: FieldError[] = [];
  items.forEach((item, index) => {
    const at = `${path}[${index}]`;
    if (schema.listType === 'map' && !isObject(item)) {
      errors.push(invalid(at, item, 'must be an object for an array of list-type map'));
      return;
    }
    const identity = schema.listType === 'map' ? keysOf(item, schema.listMapKeys) : item;
    const text = toCompactJson(identity);
    if (seen.has(text) && !reported.has(text)) {
      reported.add(text);
      errors.push(duplicate(at, identity));
    }
    seen.add(text);
  });
  return errors;
}

function keysOf(item: unknown, keys: readonly string[]): Readonly<Record<string, unknown>> {
  const members = isObject(item) ? item : {};
  return Object.fromEntries(
    keys.filter((key) => Object.hasOwn(members, key)).map((key) => [key, members[key]]),
  );
}
