import type { Node, NodeCondition } from '../../api/core/v1.gen.ts';
import { timestamp } from '../../base/clock.ts';
import { conditionOf } from '../../reconcile/conditions.ts';

const types = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** The conditions of a node that has stopped reporting: unknown, all of them. */
export function unknownConditions(node: Node, now: number): readonly NodeCondition[] {
  const conditions = node.status?.conditions ?? [];
  const next = conditions.map((condition) =>
    types.includes(condition.type) && condition.status !== 'Unknown'
      ? {
          ...condition,
          status: 'Unknown',
          reason: 'NodeStatusUnknown',
          message: 'Kubelet stopped posting node status.',
          lastTransitionTime: timestamp(now),
        }
      : condition,
  );
  const missing = types.filter((type) => !conditionOf(conditions, type));
  return [
    ...next,
    ...missing.map((type): NodeCondition => ({
      type,
      status: 'Unknown',
      reason: 'NodeStatusNeverUpdated',
      message: 'Kubelet never posted node status.',
      lastHeartbeatTime: node.metadata.creationTimestamp ?? timestamp(now),
      lastTransitionTime: timestamp(now),
    })),
  ];
}

/** Labels that older clients look for, which a node should have because of its present ones; undefined when it has them. */
export function missingBetaLabels({ metadata }: Node): Readonly<Record<string, string>> | undefined {
  const labels: Record<string, string> = {};
  for (const name of ['os', 'arch']) {
    const value = metadata.labels?.[`kubernetes.io/${name}`];
    if (value !== undefined && metadata.labels?.[`beta.kubernetes.io/${name}`] !== value)
      labels[`beta.kubernetes.io/${name}`] = value;
  }
  return Object.keys(labels).length > 0 ? labels : undefined;
}
