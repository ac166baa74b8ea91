import type { DaemonSet } from '../../api/apps/v1.gen.ts';
import type { Affinity, Node, Pod, PodTemplateSpec, Toleration } from '../../api/core/v1.gen.ts';
import { requiredNodes } from '../../api/core/node-selector.ts';
import { tolerates } from '../../api/core/toleration.ts';

/** Taints that do not keep daemon pods away, as upstream adds them to every one. */
const always: readonly Toleration[] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
];
const onHostNetwork: Toleration = {
  key: 'node.kubernetes.io/network-unavailable',
  operator: 'Exists',
  effect: 'NoSchedule',
};

/** What a daemon set means for one node. */
export type Placement =
  /** A pod belongs there. */
  | 'run'
  /** None is started, but one that is there stays. */
  | 'keep'
  /** None belongs there. */
  | 'leave';

/** Tells for nodes whether a pod of the set belongs there: by name, selector, required affinity and taints. */
export function placementOf({ spec }: DaemonSet): (node: Node) => Placement {
  const { template } = spec;
  const { nodeName } = template.spec;
  const tolerations = daemonTolerations(template.spec);
  const wanted = requiredNodes({ ...podShape, spec: template.spec });
  return (node) => {
    if (nodeName && nodeName !== node.metadata.name) return 'leave';
    if (wanted && !wanted(node)) return 'leave';
    const untolerated = (node.spec.taints ?? []).filter(
      (taint) => taint.effect !== 'PreferNoSchedule' && !tolerates(tolerations, taint),
    );
    if (untolerated.length === 0) return 'run';
    return untolerated.some(({ effect }) => effect === 'NoExecute') ? 'leave' : 'keep';
  };
}

const podShape = { apiVersion: 'v1', kind: 'Pod', metadata: {} } as const;

/** The template of the pod for one node: tolerations, and affinity to nothing but the node. */
export function daemonTemplate(template: PodTemplateSpec, nodeName: string): PodTemplateSpec {
  const { spec } = template;
  return {
    ...template,
    spec: { ...spec, tolerations: daemonTolerations(spec), affinity: pinnedTo(nodeName, spec.affinity) },
  };
}

/** The node that a daemon pod is on, or is meant for. */
export function targetNode({ spec }: Pod): string | undefined {
  if (spec.nodeName) return spec.nodeName;
  const terms =
    spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  for (const { matchFields = [] } of terms ?? []) {
    const named = matchFields.find(({ key, operator }) => key === 'metadata.name' && operator === 'In');
    if (named?.values?.length === 1) return named.values[0];
  }
  return undefined;
}

function daemonTolerations({
  tolerations = [],
  hostNetwork,
}: PodTemplateSpec['spec']): readonly Toleration[] {
  const added = hostNetwork ? [...always, onHostNetwork] : always;
  const isNew = (toleration: Toleration): boolean =>
    !tolerations.some(
      ({ key, operator, effect, value }) =>
        key === toleration.key && operator === toleration.operator && effect === toleration.effect && !value,
    );
  return [...tolerations.map(forEver), ...added.filter(isNew)];

  /** A toleration that is among those added holds without a limit of time. */
  function forEver(toleration: Toleration): Toleration {
    const { key, operator, effect, value } = toleration;
    const same = added.find((one) => one.key === key && one.operator === operator && one.effect === effect);
    return same && !value ? same : toleration;
  }
}

function pinnedTo(nodeName: string, affinity: Affinity | undefined): Affinity {
  const matchFields = [{ key: 'metadata.name', operator: 'In' as const, values: [nodeName] }];
  return {
    ...affinity,
    nodeAffinity: {
      ...affinity?.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchFields }] },
    },
  };
}
