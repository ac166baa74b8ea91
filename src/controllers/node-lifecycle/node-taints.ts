import type { Node, Taint } from '../../api/core/v1.gen.ts';
import { timestamp } from '../../base/clock.ts';
import { conditionOf } from '../../reconcile/conditions.ts';

const prefix = 'node.kubernetes.io/';
const notReady = `${prefix}not-ready`;
const unreachable = `${prefix}unreachable`;
const unschedulable = `${prefix}unschedulable`;

/** Taints that follow from the status of one condition. */
const conditionTaints: readonly (readonly [type: string, status: string, key: string])[] = [
  ['Ready', 'False', notReady],
  ['Ready', 'Unknown', unreachable],
  ['MemoryPressure', 'True', `${prefix}memory-pressure`],
  ['DiskPressure', 'True', `${prefix}disk-pressure`],
  ['NetworkUnavailable', 'True', `${prefix}network-unavailable`],
  ['PIDPressure', 'True', `${prefix}pid-pressure`],
];

const managed = new Set([unschedulable, ...conditionTaints.map(([, , key]) => key)]);

/** What becomes of the `NoExecute` taint that a node which is not ready should have. */
export type EvictionMode =
  /** It waits for its turn; only one of the other kind is exchanged at once. */
  | 'wait'
  /** It is set. */
  | 'taint'
  /** No node may have it: the whole cluster seems to be down. */
  | 'clear';

export interface TaintPlan {
  /** The very list of the node when nothing is to be written. */
  readonly taints: readonly Taint[];
  /** Whether a `NoExecute` taint is still missing. */
  readonly waits: boolean;
}

/** The node's taints: those that its conditions call for, and all that others have set. */
export function planTaints(node: Node, mode: EvictionMode, now: number): TaintPlan {
  const current = node.spec.taints ?? [];
  const eviction = evictionTaint(node);
  const present = current.filter(isEviction);
  const wanted = schedulingTaints(node);
  let waits = false;
  if (eviction === 'unknown' && mode !== 'clear') wanted.push(...present);
  else if (typeof eviction === 'object' && mode !== 'clear') {
    waits = mode === 'wait' && present.length === 0;
    if (!waits) wanted.push(eviction);
  }
  const isManaged = (taint: Taint): boolean =>
    isEviction(taint) || (taint.effect === 'NoSchedule' && managed.has(taint.key));
  const kept = current.filter((taint) => !isManaged(taint) || wanted.some((other) => isSame(taint, other)));
  const added = wanted.filter((taint) => !current.some((other) => isSame(taint, other)));
  if (added.length === 0 && kept.length === current.length) return { taints: current, waits };
  return { taints: [...kept, ...added.map((taint) => ({ ...taint, timeAdded: timestamp(now) }))], waits };
}

function schedulingTaints({ spec, status }: Node): Taint[] {
  const taints = conditionTaints
    .filter(([type, wanted]) => conditionOf(status?.conditions, type)?.status === wanted)
    .map(([, , key]): Taint => ({ key, effect: 'NoSchedule' }));
  return spec.unschedulable ? [...taints, { key: unschedulable, effect: 'NoSchedule' }] : taints;
}

/** What a node that is not ready is emptied with; `unknown` as long as it has never said anything. */
function evictionTaint({ status }: Node): Taint | 'none' | 'unknown' {
  const ready = conditionOf(status?.conditions, 'Ready');
  if (!ready) return 'unknown';
  if (ready.status === 'True') return 'none';
  return { key: ready.status === 'False' ? notReady : unreachable, effect: 'NoExecute' };
}

function isEviction({ key, effect }: Taint): boolean {
  return effect === 'NoExecute' && (key === notReady || key === unreachable);
}

function isSame(a: Taint, b: Taint): boolean {
  return a.key === b.key && a.effect === b.effect;
}
