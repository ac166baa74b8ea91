import { setOwn } from '../json/own-property.ts';
import { mutableCopy } from '../mutable-copy.ts';
import { isObject } from '../patch/json-value.ts';
import type { StructuralSchema } from './structural-schema.ts';

type Mutable = Record<string, unknown>;

/** Sets, in place, the defaults of a schema: where a field is absent, or null without being nullable. */
export function fillDefaults(value: unknown, schema: StructuralSchema | undefined): void {
  if (!schema) return;
  if (Array.isArray(value)) {
    const { items } = schema;
    value.forEach((item: unknown, index) => {
      if (isReplaced(item, items)) value[index] = copyOf(items);
      fillDefaults(value[index], items);
    });
  } else if (isObject(value)) fillMembers(value, schema);
}

function fillMembers(object: Mutable, schema: StructuralSchema): void {
  for (const name of schema.defaultedNames) {
    const below = schema.property(name);
    const present = Object.hasOwn(object, name);
    if (!present || isReplaced(object[name], below)) setOwn(object, name, copyOf(below));
  }
  const { additionalProperties } = schema;
  const values = typeof additionalProperties === 'object' ? additionalProperties : undefined;
  for (const name of Object.keys(object)) {
    const known = schema.property(name);
    if (!known && isReplaced(object[name], values)) setOwn(object, name, copyOf(values));
    fillDefaults(object[name], known ?? values);
  }
}

function isReplaced(value: unknown, schema: StructuralSchema | undefined): boolean {
  return value === null && schema !== undefined && !schema.nullable && schema.default !== undefined;
}

function copyOf(schema: StructuralSchema | undefined): unknown {
  const value = schema?.default;
  return typeof value === 'object' && value !== null ? mutableCopy(value) : value;
}
