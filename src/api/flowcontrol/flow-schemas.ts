import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { type ResourceDefinition, defineResource } from '../resource.ts';
import { validateFlowConditions } from './condition-validation.ts';
import { validateFlowSchema } from './flow-schema-validation.ts';
import { type FlowSchema, flowschemas } from './v1.gen.ts';

const defaultPrecedence = 1000;

function defaultFlowSchema(schema: DeepMutable<FlowSchema>): void {
  schema.spec ??= {} as typeof schema.spec;
  schema.spec.matchingPrecedence ||= defaultPrecedence;
  schema.spec.priorityLevelConfiguration ??= { name: '' };
  schema.status ??= {};
}

/** Which requests belong to which priority level, and how they are told apart within it. */
export const flowSchemas: ResourceDefinition<FlowSchema> = defineResource<FlowSchema>({
  storage: 'v1',
  versions: {
    v1: { type: flowschemas, schema: 'io.k8s.api.flowcontrol.v1.FlowSchema', defaults: defaultFlowSchema },
  },
  unconditionalUpdate: false,
  generation: true,
  prepareForCreate(schema) {
    schema.status = {};
  },
  prepareForUpdate(next, old) {
    next.status = mutableCopy(old.status ?? {});
  },
  validate: validateFlowSchema,
  validateUpdate: validateFlowSchema,
  status: { validate: ({ status }) => validateFlowConditions(status?.conditions) },
  columns: [
    nameColumn(),
    { name: 'PriorityLevel', type: 'string', cell: ({ spec }) => spec.priorityLevelConfiguration.name },
    { name: 'MatchingPrecedence', type: 'string', cell: ({ spec }) => spec.matchingPrecedence },
    {
      name: 'DistinguisherMethod',
      type: 'string',
      cell: ({ spec }) => spec.distinguisherMethod?.type ?? '<none>',
    },
    ageColumn(),
    {
      name: 'MissingPL',
      type: 'string',
      description: 'references a broken or non-existent PriorityLevelConfiguration',
      cell: ({ status }) => status?.conditions?.find(({ type }) => type === 'Dangling')?.status ?? '?',
    },
  ],
});
