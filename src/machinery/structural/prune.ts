import { isObject } from '../patch/json-value.ts';
import type { StructuralSchema } from './structural-schema.ts';

type Mutable = Record<string, unknown>;

const metaFields: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata']);

/**
 * Removes, in place, the fields that a schema does not specify, as upstream's structural pruning does. `apiVersion`, `kind`
 * and `metadata` of the root stay. Returns the paths of what was removed, in ascending order.
 */
export function pruneUnknown(object: Mutable, schema: StructuralSchema): string[] {
  const unknown: string[] = [];
  pruneMembers(object, schema, { path: '', unknown, isResource: true });
  return unknown.sort();
}

interface Place {
  readonly path: string;
  readonly unknown: string[];
  readonly isResource: boolean;
}

function prune(value: unknown, schema: StructuralSchema | undefined, place: Place): void {
  if (Array.isArray(value)) {
    value.forEach((item: unknown, index) => {
      const below = { ...place, path: `${place.path}[${index}]` };
      prune(item, schema?.items, { ...below, isResource: schema?.items?.embeddedResource ?? false });
    });
  } else if (isObject(value)) pruneMembers(value, schema, place);
}

function pruneMembers(object: Mutable, schema: StructuralSchema | undefined, place: Place): void {
  const { unknown, isResource } = place;
  for (const name of Object.keys(object)) {
    if (isResource && metaFields.has(name)) continue;
    const path = place.path === '' ? name : `${place.path}.${name}`;
    const below = schema?.property(name);
    const values = schema?.additionalProperties;
    if (below) prune(object[name], below, { path, unknown, isResource: below.embeddedResource });
    else if (values !== undefined && values !== false) {
      const item = values === true ? undefined : values;
      prune(object[name], item, { path, unknown, isResource: item?.embeddedResource ?? false });
    } else if (!schema?.preserveUnknownFields) {
      unknown.push(path);
      Reflect.deleteProperty(object, name);
    }
  }
}

/** Removes, in place, the nulls that a schema neither admits nor replaces by a default. */
export function pruneNulls(value: unknown, schema: StructuralSchema | undefined): void {
  if (!schema) return;
  if (Array.isArray(value)) for (const item of value) pruneNulls(item, schema.items);
  else if (isObject(value)) {
    const object = value as Mutable;
    for (const name of Object.keys(object)) {
      const { additionalProperties } = schema;
      const below =
        schema.property(name) ??
        (typeof additionalProperties === 'object' ? additionalProperties : undefined);
      if (!below) continue;
      if (object[name] !== null) pruneNulls(object[name], below);
      else if (!below.nullable && below.default === undefined) Reflect.deleteProperty(object, name);
    }
  }
}
