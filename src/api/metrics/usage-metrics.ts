import { timestamp } from '../../base/clock.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { addQuantities, canonicalQuantity, formatQuantity, parseQuantity } from '../../machinery/quantity.ts';
import { nameColumn } from '../columns.ts';
import { defineResource, type AnyResource, type Column, type ResourceDefinition } from '../resource.ts';
import { metricsPackage } from './metrics-schema.ts';
import type { Usage, UsageSource } from './usage.ts';
import { nodemetrics, podmetrics, type NodeMetrics, type PodMetrics } from './v1beta1.ts';

type Measured = Pick<NodeMetrics, 'timestamp' | 'window'>;

/** The kinds of `metrics.k8s.io` (the resource metrics API), computed from the latest measurements. */
export function usageMetrics(source: UsageSource): AnyResource[] {
  return [nodeMetrics(source), podMetrics(source)];
}

function nodeMetrics(source: UsageSource): ResourceDefinition<NodeMetrics> {
  return defineResource<NodeMetrics>({
    storage: 'v1beta1',
    versions: { v1beta1: { type: nodemetrics, schema: `${metricsPackage}.NodeMetrics` } },
    compute: () =>
      source.nodes().map((one) => ({
        kind: 'NodeMetrics',
        apiVersion: 'metrics.k8s.io/v1beta1',
        metadata: { name: one.node, creationTimestamp: timestamp(one.at), labels: one.labels },
        ...measured(one),
        usage: quantities(one),
      })),
    columns: columns(({ usage }) => usage),
  });
}

function podMetrics(source: UsageSource): ResourceDefinition<PodMetrics> {
  return defineResource<PodMetrics>({
    storage: 'v1beta1',
    versions: { v1beta1: { type: podmetrics, schema: `${metricsPackage}.PodMetrics` } },
    compute: () =>
      source.pods().map((one) => ({
        kind: 'PodMetrics',
        apiVersion: 'metrics.k8s.io/v1beta1',
        metadata: {
          name: one.pod,
          namespace: one.namespace,
          creationTimestamp: timestamp(one.at),
          labels: one.labels,
        },
        ...measured(one),
        containers: one.containers.map((container) => ({
          name: container.name,
          usage: quantities(container),
        })),
      })),
    columns: columns(({ containers }) => sum(containers.map(({ usage }) => usage))),
  });
}

function measured({ at, windowMs }: { readonly at: number; readonly windowMs: number }): Measured {
  return { timestamp: timestamp(at), window: `${(windowMs / 1000).toFixed(3)}s` };
}

function quantities({ cpuNanocores, memoryBytes }: Usage): NodeMetrics['usage'] {
  return {
    cpu: canonicalQuantity(`${Math.round(cpuNanocores)}n`),
    memory: canonicalQuantity(`${Math.ceil(memoryBytes / 1024)}Ki`),
  };
}

function columns<T extends KubeObject & Measured>(usage: (object: T) => NodeMetrics['usage']): Column<T>[] {
  return [
    nameColumn<T>(),
    { name: 'cpu', type: 'string', cell: (object) => usage(object)['cpu'] ?? '' },
    { name: 'memory', type: 'string', cell: (object) => usage(object)['memory'] ?? '' },
    { name: 'Window', type: 'string', cell: ({ window }) => window },
  ];
}

function sum(usages: readonly NodeMetrics['usage'][]): NodeMetrics['usage'] {
  const total = (name: string): string =>
    formatQuantity(
      usages.map((usage) => parseQuantity(usage[name] ?? '0')).reduce(addQuantities, parseQuantity('0')),
    );
  return { cpu: total('cpu'), memory: total('memory') };
}
