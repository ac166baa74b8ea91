import type { Node, Pod, PodSpec, TopologySpreadConstraint } from '../../../api/core/v1.gen.ts';
import type { Live } from '../../../machinery/object.ts';
import { PodIndex } from '../../pod-index.ts';

type Labels = Readonly<Record<string, string>>;

const creationTimestamp = '2026-01-01T00:00:00Z';

export interface NodeFacts {
  readonly labels?: Labels;
  readonly spec?: Node['spec'];
  readonly allocatable?: Labels;
}

/** A node with its `kubernetes.io/hostname` label, 4 CPUs, 8 GiB and room for 110 pods. */
export function node(name: string, { labels = {}, spec = {}, allocatable = {} }: NodeFacts = {}): Live<Node> {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      uid: name,
      resourceVersion: '1',
      creationTimestamp,
      labels: { 'kubernetes.io/hostname': name, ...labels },
    },
    spec,
    status: { allocatable: { cpu: '4', memory: '8Gi', pods: '110', ...allocatable } },
  };
}

/** A pod of one container that asks for nothing. */
export function pod(
  name: string,
  spec: Partial<PodSpec> = {},
  metadata: Partial<Pod['metadata']> = {},
): Live<Pod> {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', uid: name, resourceVersion: '1', creationTimestamp, ...metadata },
    spec: { containers: [{ name: 'c', image: 'app' }], ...spec },
  };
}

/** A spec whose only container asks for this. */
export function requests(list: Labels): Partial<PodSpec> {
  return { containers: [{ name: 'c', image: 'app', resources: { requests: list } }] };
}

/** A constraint that counts pods with the label `app=web`. */
export function spread(
  topologyKey: string,
  more: Partial<TopologySpreadConstraint> = {},
): TopologySpreadConstraint {
  return {
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'DoNotSchedule',
    labelSelector: { matchLabels: { app: 'web' } },
    ...more,
  };
}

/** An index of these nodes and of pods on them. */
export function indexOf(
  nodes: readonly Live<Node>[],
  placed: readonly (readonly [Live<Pod>, string])[],
): PodIndex {
  const index = new PodIndex();
  for (const node of nodes) index.setNode(node.metadata.name, node);
  for (const [pod, nodeName] of placed) index.place(pod, nodeName);
  return index;
}
