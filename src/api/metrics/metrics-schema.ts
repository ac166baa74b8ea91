import {
  messageSchema,
  type FieldSchema,
  type FieldType,
  type MessageSchema,
  type SchemaTable,
} from '../../machinery/schema/schema.ts';

/** The package that upstream's definitions of `metrics.k8s.io/v1beta1` are named by. */
export const metricsPackage: string = 'io.k8s.metrics.pkg.apis.metrics.v1beta1';

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1';
const string: FieldType = { type: 'string' };
const usage: FieldType = { type: 'map', values: { type: 'quantity' } };

function message(name: string): FieldType {
  return { type: 'message', message: name };
}

function list(name: string): FieldType {
  return { type: 'list', items: message(name) };
}

function field(name: string, number: number, of: FieldType): FieldSchema {
  return { name, number, of, pointer: false, omitempty: false, required: true };
}

function optional(name: string, number: number, of: FieldType): FieldSchema {
  return { ...field(name, number, of), omitempty: true, required: false };
}

const typeMeta = [optional('apiVersion', 0, string), optional('kind', 0, string)];
const measured = [field('timestamp', 2, { type: 'time' }), field('window', 3, { type: 'duration' })];

function kind(name: string, fields: readonly FieldSchema[]): MessageSchema {
  const groupVersionKind = { group: 'metrics.k8s.io', version: 'v1beta1', kind: name };
  return messageSchema(`${metricsPackage}.${name}`, [...typeMeta, ...fields], { groupVersionKind });
}

function listOf(name: string): MessageSchema {
  return kind(`${name}List`, [
    optional('metadata', 1, message(`${meta}.ListMeta`)),
    field('items', 2, list(`${metricsPackage}.${name}`)),
  ]);
}

function messages(): readonly MessageSchema[] {
  const metadata = optional('metadata', 1, message(`${meta}.ObjectMeta`));
  const container = `${metricsPackage}.ContainerMetrics`;
  return [
    kind('NodeMetrics', [metadata, ...measured, field('usage', 4, usage)]),
    kind('PodMetrics', [metadata, ...measured, field('containers', 4, list(container))]),
    listOf('NodeMetrics'),
    listOf('PodMetrics'),
    messageSchema(container, [field('name', 1, string), field('usage', 2, usage)]),
  ];
}

/** The table with the messages of `metrics.k8s.io`, which Kubernetes' own documents leave to add-ons. */
export function metricsSchema(table: SchemaTable): SchemaTable {
  let own: ReadonlyMap<string, MessageSchema> | undefined;
  const find = (name: string): MessageSchema | undefined => {
    if (!name.startsWith(metricsPackage)) return undefined;
    own ??= new Map(messages().map((one) => [one.name, one]));
    return own.get(name);
  };
  return {
    has: (name) => find(name) !== undefined || table.has(name),
    get: (name) => find(name) ?? table.get(name),
  };
}
