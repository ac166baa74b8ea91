import { schemaOf, type SchemaField, type SchemaFields } from './schema-fields.ts';

const containers: SchemaField = ['string'];
const lists: Readonly<Record<string, SchemaFields>> = {
  logs: { containers, logsFile: 'string', previousLogsFile: 'string', follow: 'boolean' },
  attaches: { containers, logsFile: 'string' },
  execs: {
    containers,
    local: {
      workDir: 'string',
      envs: [{ '!name': 'string', value: 'string' }],
      securityContext: { runAsUser: 'integer', runAsGroup: 'integer' },
    },
  },
  forwards: {
    ports: ['integer'],
    command: ['string'],
    target: { '!port': { type: 'integer', minimum: 0, maximum: 65_535 }, '!address': 'string' },
  },
  usages: { containers, usage: 'anything' },
};

const selector: SchemaFields = { matchNamespaces: ['string'], matchNames: ['string'] };

/** The schema of a `spec` with one list; for a cluster-wide kind with a selector of pods, too. */
export function podResourceSpec(
  list: keyof typeof lists,
  scope: 'one pod' | 'cluster',
): Readonly<Record<string, unknown>> {
  const fields = lists[list] ?? {};
  return schemaOf({ ...(scope === 'cluster' && { selector }), [list]: [fields] });
}

/** The schema of a Metric's `spec`. */
export const metricSpec: Readonly<Record<string, unknown>> = schemaOf({
  '!path': 'string',
  '!metrics': [
    {
      '!name': 'string',
      help: 'string',
      '!kind': { enum: ['counter', 'gauge', 'histogram'] },
      dimension: { enum: ['node', 'pod', 'container'] },
      labels: [{ '!name': 'string', '!value': 'string' }],
      value: 'string',
      buckets: [{ '!le': 'number', '!value': 'string', hidden: 'boolean' }],
    },
  ],
});
