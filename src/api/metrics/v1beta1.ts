import type { ObjectMeta } from '../../machinery/meta/v1.gen.ts';
import type { ResourceType } from '../../machinery/object.ts';

type Quantities = Readonly<Record<string, string>>;

/** `metrics.k8s.io/v1beta1` NodeMetrics: the latest use of a node. */
export interface NodeMetrics {
  readonly apiVersion: 'metrics.k8s.io/v1beta1';
  readonly kind: 'NodeMetrics';
  readonly metadata: ObjectMeta;
  /** RFC 3339; the end of {@link NodeMetrics.window}. */
  readonly timestamp: string;
  /** Go's notation of a duration. */
  readonly window: string;
  readonly usage: Quantities;
}

export interface ContainerMetrics {
  readonly name: string;
  readonly usage: Quantities;
}

/** `metrics.k8s.io/v1beta1` PodMetrics: the latest use of a pod's containers. */
export interface PodMetrics {
  readonly apiVersion: 'metrics.k8s.io/v1beta1';
  readonly kind: 'PodMetrics';
  readonly metadata: ObjectMeta;
  readonly timestamp: string;
  readonly window: string;
  readonly containers: readonly ContainerMetrics[];
}

const names = {
  group: 'metrics.k8s.io',
  version: 'v1beta1',
  singular: '',
  shortNames: [],
  categories: [],
} as const;

export const nodemetrics: ResourceType<NodeMetrics> = {
  ...names,
  resource: 'nodes',
  kind: 'NodeMetrics',
  namespaced: false,
};

export const podmetrics: ResourceType<PodMetrics> = {
  ...names,
  resource: 'pods',
  kind: 'PodMetrics',
  namespaced: true,
};
