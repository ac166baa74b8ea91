import { schemaOf, type SchemaFields } from './schema-fields.ts';

const expression: SchemaFields = { expression: 'string' };
const source: SchemaFields = { expressionFrom: 'string', jq: expression, cel: expression };
const impersonation: SchemaFields = { '!username': 'string' };
const patch: SchemaFields = {
  subresource: 'string',
  root: 'string',
  template: 'string',
  type: { enum: ['json', 'merge', 'strategic'] },
  impersonation,
};
const apply: SchemaFields = {
  template: 'string',
  subresource: 'string',
  type: { enum: ['json', 'merge', 'strategic', 'apply'] },
};
const step: SchemaFields = {
  event: { type: 'string', reason: 'string', message: 'string' },
  finalizers: { add: [{ value: 'string' }], remove: [{ value: 'string' }], empty: 'boolean' },
  delete: 'boolean',
};

/** The schema of a Stage's `spec`. */
export const stageSpec: Readonly<Record<string, unknown>> = schemaOf({
  '!resourceRef': { apiGroup: { type: 'string', default: 'v1' }, '!kind': 'string' },
  selector: {
    matchLabels: 'strings',
    matchAnnotations: 'strings',
    matchExpressions: [
      {
        key: 'string',
        operator: 'string',
        values: ['string'],
        jq: { key: 'string', operator: 'string', values: ['string'] },
        cel: expression,
        expression: 'string',
      },
    ],
  },
  weight: { type: 'integer', default: 0, minimum: 0 },
  weightFrom: source,
  delay: {
    durationMilliseconds: { type: 'integer', format: 'int64', minimum: 0 },
    durationFrom: source,
    jitterDurationMilliseconds: { type: 'integer', format: 'int64', minimum: 0 },
    jitterDurationFrom: source,
  },
  steps: [{ ...step, patch, apply }],
  next: {
    ...step,
    patches: [patch],
    statusTemplate: 'string',
    statusSubresource: { type: 'string', default: 'status' },
    statusPatchAs: impersonation,
    steps: [{ ...step, patch, apply }],
  },
  immediateNextStage: 'boolean',
});
