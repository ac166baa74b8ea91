import type { ResourceDefinition } from '../../api/resource.ts';
import { apiVersionDescription, kindDescription, listMetadataDescription } from './descriptions.ts';
import type { CustomDefinition, JsonSchema } from './definition.ts';

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';

/** The schemas of custom resources and of their lists, by name. */
export function customDefinitions(
  definitions: readonly ResourceDefinition[],
): ReadonlyMap<string, CustomDefinition> {
  const found = new Map<string, CustomDefinition>();
  for (const { versions } of definitions) {
    for (const { schema, type, custom } of Object.values(versions)) {
      if (!custom) continue;
      const { published } = custom;
      found.set(schema, {
        get v2() {
          return published.v2 as JsonSchema;
        },
        get v3() {
          return published.v3 as JsonSchema;
        },
        references: [`${meta}.ObjectMeta`],
      });
      const { group, version } = type;
      const list = (item: JsonSchema, metadata: JsonSchema): JsonSchema => ({
        type: 'object',
        required: ['items'],
        properties: {
          apiVersion: { description: apiVersionDescription, type: 'string' },
          items: { type: 'array', items: item },
          kind: { description: kindDescription, type: 'string' },
          metadata: { description: listMetadataDescription, ...metadata },
        },
        'x-kubernetes-group-version-kind': [{ group, version, kind: custom.listKind }],
      });
      found.set(`${schema}List`, {
        v2: list({ $ref: `#/definitions/${schema}` }, { $ref: `#/definitions/${meta}.ListMeta` }),
        v3: list(
          { $ref: `#/components/schemas/${schema}` },
          { allOf: [{ $ref: `#/components/schemas/${meta}.ListMeta` }] },
        ),
        references: [schema, `${meta}.ListMeta`],
      });
    }
  }
  return found;
}
