import type { Pod, PodStatus } from '../../api/core/v1.gen.ts';
import { timestamp } from '../../base/clock.ts';
import { conditionOf, withCondition } from '../../reconcile/conditions.ts';
import { isPodFinished } from '../pods/pod-state.ts';

/** How long a pod that is said to be disrupted may stay. */
const staleMs = 120_000;

/**
 * Milliseconds until a pod's `DisruptionTarget` no longer holds because nobody has deleted the pod; undefined when it
 * has none. What the kubelet says holds however long it takes.
 */
export function msUntilStale(pod: Pod, now: number): number | undefined {
  if (pod.metadata.deletionTimestamp !== undefined || isPodFinished(pod)) return undefined;
  const condition = conditionOf(pod.status?.conditions, 'DisruptionTarget');
  if (condition?.status !== 'True' || condition.reason === 'TerminationByKubelet') return undefined;
  return Math.max(0, Date.parse(condition.lastTransitionTime ?? '') + staleMs - now || 0);
}

/** The status of a pod that is not going to be disrupted after all. */
export function withoutDisruption(status: PodStatus, now: number): PodStatus {
  const condition = { type: 'DisruptionTarget', status: 'False', lastTransitionTime: timestamp(now) };
  return { ...status, conditions: withCondition(status.conditions ?? [], condition) };
}
