import { randomUUID } from 'node:crypto';
import { bootstrapFlowSchemas, bootstrapPriorityLevels } from '../api/flowcontrol/bootstrap-configuration.ts';
import { timestamp, type Clock } from '../base/clock.ts';
import type { KubeObject } from '../machinery/object.ts';
import type { SchemaTable } from '../machinery/schema/schema.ts';
import type { Store } from '../storage/kv.ts';
import { bootstrapPolicy } from './auth/bootstrap-policy.gen.ts';
import { reconciledPolicy } from './auth/reconcile-policy.ts';
import { encodeStored } from './registry/represent.ts';
import { storageKey, type ResourceTable, type ServedResource } from './registry/served-resource.ts';

const systemNamespaces = ['default', 'kube-node-lease', 'kube-public', 'kube-system'];

function systemObjects(now: string): KubeObject[] {
  const namespaces = systemNamespaces.map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { 'kubernetes.io/metadata.name': name } },
    spec: { finalizers: ['kubernetes'] },
    status: { phase: 'Active' },
  }));
  const priorities = [
    { name: 'system-cluster-critical', value: 2_000_000_000, what: 'the cluster as a whole' },
    { name: 'system-node-critical', value: 2_000_001_000, what: 'their node' },
  ].map(({ name, value, what }) => ({
    apiVersion: 'scheduling.k8s.io/v1',
    kind: 'PriorityClass',
    metadata: { name, generation: 1 },
    value,
    description: `For pods that ${what} cannot do without.`,
    preemptionPolicy: 'PreemptLowerPriority',
  }));
  const tracking = {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'kube-apiserver-legacy-service-account-token-tracking', namespace: 'kube-system' },
    data: { since: now.slice(0, 10) },
  };
  return [
    ...namespaces,
    ...priorities,
    tracking,
    ...bootstrapPriorityLevels(),
    ...bootstrapFlowSchemas(now),
    ...(JSON.parse(bootstrapPolicy) as KubeObject[]),
  ];
}

function resourceOf(table: ResourceTable, object: KubeObject): ServedResource | undefined {
  const group = object.apiVersion.includes('/')
    ? object.apiVersion.slice(0, object.apiVersion.indexOf('/'))
    : '';
  return table.resources.find(({ stored }) => stored.group === group && stored.kind === object.kind);
}

function isPolicy({ apiVersion }: KubeObject): boolean {
  return apiVersion.startsWith('rbac.authorization.k8s.io/');
}

/** What {@link ensureBootstrapObjects} writes with. */
export interface BootstrapParts {
  readonly store: Store;
  readonly schema: SchemaTable;
  readonly clock: Clock;
  readonly table: ResourceTable;
  /** What this cluster must have beside the system's own objects. */
  readonly further?: readonly KubeObject[];
}

/**
 * Creates the system namespaces, priority classes, roles and bindings that are missing, and gives roles and bindings back what was
 * taken from them, in one batch. Returns how many were written.
 */
export async function ensureBootstrapObjects({
  store,
  schema,
  clock,
  table,
  further = [],
}: BootstrapParts): Promise<number> {
  const creationTimestamp = timestamp(clock.now());
  const writes: Promise<number>[] = [];
  for (const object of [...systemObjects(creationTimestamp), ...further]) {
    const resource = resourceOf(table, object);
    const version = resource?.definition.versions[resource.definition.storage];
    if (!resource || !version) continue;
    const key = storageKey(resource, object.metadata.namespace, object.metadata.name ?? '');
    const schemaOf = { table: schema, message: version.schema };
    const held = resource.cache.get(key);
    if (held) {
      const repaired = isPolicy(object) ? reconciledPolicy(resource.cache.object(held), object) : undefined;
      if (repaired) writes.push(store.update(key, encodeStored(repaired, schemaOf), held.revision));
      continue;
    }
    const complete = { ...object, metadata: { ...object.metadata, uid: randomUUID(), creationTimestamp } };
    const bytes = encodeStored(complete, schemaOf);
    resource.cache.expect(bytes, complete);
    writes.push(store.create(key, bytes));
  }
  await Promise.all(writes);
  return writes.length;
}
