import type { Structure } from '../structure/structure.ts';
import type { StructuralSchema } from './structural-schema.ts';

const untyped: Structure = { type: 'untyped' };
const scalar: Structure = { type: 'scalar' };
const scalars: Readonly<Record<string, Structure>> = {
  string: { type: 'scalar', of: 'string' },
  integer: { type: 'scalar', of: 'numeric' },
  number: { type: 'scalar', of: 'numeric' },
  boolean: { type: 'scalar', of: 'boolean' },
};

/** How values of a structural schema merge; `metadata` are the members of the root that every object has. */
export function structureOf(
  schema: StructuralSchema,
  root: Readonly<Record<string, Structure>> = {},
): Structure {
  switch (schema.type) {
    case 'object':
      return mapStructure(schema, root);
    case 'array':
      return listStructure(schema);
    case '':
      return schema.intOrString ? scalar : untyped;
    default:
      return scalars[schema.type] ?? scalar;
  }
}

function mapStructure(schema: StructuralSchema, root: Readonly<Record<string, Structure>>): Structure {
  const made = new Map<string, Structure>();
  const { additionalProperties } = schema;
  const open = schema.preserveUnknownFields || additionalProperties === true;
  let values: Structure | undefined;
  return {
    type: 'map',
    atomic: schema.mapType === 'atomic',
    member(name) {
      if (Object.hasOwn(root, name)) return root[name];
      const known = made.get(name);
      if (known) return known;
      const below = schema.property(name);
      if (below) {
        const structure = structureOf(below, schema.embeddedResource ? embeddedMeta : {});
        made.set(name, structure);
        return structure;
      }
      if (schema.embeddedResource && Object.hasOwn(embeddedMeta, name)) return embeddedMeta[name];
      if (typeof additionalProperties === 'object') {
        values ??= structureOf(additionalProperties);
        return values;
      }
      return open ? untyped : undefined;
    },
    declares: (name) =>
      Object.hasOwn(root, name) ||
      schema.propertyNames.includes(name) ||
      (schema.embeddedResource && Object.hasOwn(embeddedMeta, name)),
  };
}

const embeddedMeta: Readonly<Record<string, Structure>> = {
  apiVersion: scalar,
  kind: scalar,
  metadata: untyped,
};

function listStructure(schema: StructuralSchema): Structure {
  const items = schema.items ? structureOf(schema.items) : untyped;
  switch (schema.listType) {
    case 'set':
      return { type: 'list', list: 'set', items };
    case 'map':
      return {
        type: 'list',
        list: 'map',
        keys: schema.listMapKeys,
        keyDefaults: Object.fromEntries(
          schema.listMapKeys.flatMap((key) => {
            const value = schema.items?.property(key)?.default;
            return value === undefined ? [] : [[key, value]];
          }),
        ),
        items,
      };
    default:
      return { type: 'list', list: 'atomic', items };
  }
}
