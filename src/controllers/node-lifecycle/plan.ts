import type { Node, NodeCondition, Taint } from '../../api/core/v1.gen.ts';
import { timestamp } from '../../base/clock.ts';
import { conditionOf } from '../../reconcile/conditions.ts';

const prefix = 'node.kubernetes.io/';
const notReady = `${prefix}not-ready`;
const unreachable = `${prefix}unreachable`;

/** Taints that follow from one condition being `True`. */
const conditionTaints: readonly (readonly [condition: string, key: string])[] = [
  ['MemoryPressure', `${prefix}memory-pressure`],
  ['DiskPressure', `${prefix}disk-pressure`],
  ['NetworkUnavailable', `${prefix}network-unavailable`],
  ['PIDPressure', `${prefix}pid-pressure`],
];

const unschedulable = `${prefix}unschedulable`;
const managed = new Set([notReady, unreachable, unschedulable, ...conditionTaints.map(([, key]) => key)]);

/** The node's taints: those that its conditions call for, and all that others have set. */
export function planTaints(node: Node, now: number): readonly Taint[] {
  const current = node.spec.taints ?? [];
  const wanted = wantedTaints(node);
  const kept = current.filter(
    (taint) => !managed.has(taint.key) || wanted.some((other) => isSame(taint, other)),
  );
  const added = wanted.filter((taint) => !current.some((other) => isSame(taint, other)));
  if (added.length === 0 && kept.length === current.length) return current;
  return [...kept, ...added.map((taint) => ({ ...taint, timeAdded: timestamp(now) }))];
}

function wantedTaints({ spec, status }: Node): readonly Taint[] {
  const taints: Taint[] = [];
  const ready = conditionOf(status?.conditions, 'Ready')?.status ?? 'False';
  if (ready !== 'True') {
    const key = ready === 'Unknown' ? unreachable : notReady;
    taints.push({ key, effect: 'NoSchedule' }, { key, effect: 'NoExecute' });
  }
  for (const [type, key] of conditionTaints) {
    if (conditionOf(status?.conditions, type)?.status === 'True') taints.push({ key, effect: 'NoSchedule' });
  }
  if (spec.unschedulable) taints.push({ key: unschedulable, effect: 'NoSchedule' });
  return taints;
}

function isSame(a: Taint, b: Taint): boolean {
  return a.key === b.key && a.effect === b.effect;
}

/** The conditions of a node that has stopped reporting: unknown, all of them. */
export function unknownConditions(node: Node, now: number): readonly NodeCondition[] {
  const conditions = node.status?.conditions ?? [];
  const types = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];
  const others = conditions.filter(({ type }) => !types.includes(type));
  const unknown = types.map((type): NodeCondition => {
    const current = conditionOf(conditions, type);
    if (current?.status === 'Unknown') return current;
    return {
      type,
      status: 'Unknown',
      reason: current ? 'NodeStatusUnknown' : 'NodeStatusNeverUpdated',
      message: current ? 'Kubelet stopped posting node status.' : 'Kubelet never posted node status.',
      lastHeartbeatTime: current?.lastHeartbeatTime ?? node.metadata.creationTimestamp ?? timestamp(now),
      lastTransitionTime: timestamp(now),
    };
  });
  return [...others, ...unknown];
}
