import type { KubeObject, ResourceType } from '../../machinery/object.ts';
import type { StructuralSchema } from '../../machinery/structural/structural-schema.ts';
import { apiVersionDescription, kindDescription, metadataDescription } from '../openapi/descriptions.ts';

type Json = Readonly<Record<string, unknown>>;

/** The name under which OpenAPI documents have a kind: its group backwards, its version and its kind. */
export function openapiName({ group, version, kind }: ResourceType<KubeObject>): string {
  return [...group.split('.').toReversed(), version, kind].join('.');
}

interface Published {
  readonly type: ResourceType<KubeObject>;
  readonly schema: StructuralSchema;
  /** The fields that selectors may name. */
  readonly selectable: readonly string[];
}

/** The schema of a version as upstream publishes it; made on the first request for a document. */
export function publishedSchemas({ type, schema, selectable }: Published): {
  /** Without properties when the object itself keeps unknown fields: clients would refuse those. */
  readonly v2: object;
  readonly v3: object;
} {
  const { group, version, kind } = type;
  const wrap = (body: Json, meta: Json): Json => {
    const properties = (body['properties'] ?? {}) as Json;
    return {
      ...body,
      type: 'object',
      ...(Object.keys(body).length === 0 && schema.preserveUnknownFields
        ? { 'x-kubernetes-preserve-unknown-fields': true }
        : {}),
      properties: {
        ...properties,
        apiVersion: { description: apiVersionDescription, type: 'string' },
        kind: { description: kindDescription, type: 'string' },
        metadata: { description: metadataDescription, ...meta },
      },
      'x-kubernetes-group-version-kind': [{ group, version, kind }],
      ...(selectable.length > 0 && {
        'x-kubernetes-selectable-fields': selectable.map((path) => ({ fieldPath: path.replace(/^\./, '') })),
      }),
    };
  };
  const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta';
  let v2: Json | undefined;
  let v3: Json | undefined;
  return {
    get v2() {
      v2 ??= schema.preserveUnknownFields
        ? { type: 'object', 'x-kubernetes-group-version-kind': [{ group, version, kind }] }
        : wrap(v2Schema(schema.props as Json), { $ref: `#/definitions/${meta}` });
      return v2;
    },
    get v3() {
      v3 ??= wrap(v3Schema(schema.props as Json), { allOf: [{ $ref: `#/components/schemas/${meta}` }] });
      return v3;
    },
  };
}

const nested = ['properties', 'items', 'not', 'additionalProperties', 'allOf', 'anyOf', 'oneOf'];

function mapped(schema: Json, change: (schema: Json) => Json): Json {
  if (!nested.some((key) => Object.hasOwn(schema, key))) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      switch (key) {
        case 'properties':
          return [
            key,
            Object.fromEntries(
              Object.entries(value as Json).map(([name, property]) => [name, change(property as Json)]),
            ),
          ];
        case 'items':
        case 'not':
          return [key, change(value as Json)];
        case 'additionalProperties':
          return [key, typeof value === 'object' ? change(value as Json) : value];
        case 'allOf':
        case 'anyOf':
        case 'oneOf':
          return [key, (value as readonly Json[]).map(change)];
        default:
          return [key, value];
      }
    }),
  );
}

function v3Schema(schema: Json): Json {
  const mappedSchema = mapped(schema, v3Schema);
  if (schema['x-kubernetes-int-or-string'] !== true || schema['anyOf'] || schema['allOf'])
    return mappedSchema;
  return { ...mappedSchema, anyOf: [{ type: 'integer' }, { type: 'string' }] };
}

/** OpenAPI v2 has no alternatives, no nullable and no defaults; what they say is left out. */
function v2Schema(schema: Json): Json {
  const { allOf: _allOf, anyOf: _anyOf, oneOf: _oneOf, not: _not, nullable, ...rest } = schema;
  const open = rest['x-kubernetes-preserve-unknown-fields'] === true;
  if (open || nullable === true || rest['x-kubernetes-int-or-string'] === true) {
    // Clients would prune and merge by what they cannot see, or refuse null.
    const { type, properties: _properties, items: _items, ...flat } = rest;
    const shape = open || rest['x-kubernetes-int-or-string'] === true ? {} : { type };
    if (nullable === true) return { ...flat };
    return { ...shape, ...flat };
  }
  return mapped(rest, v2Schema);
}
