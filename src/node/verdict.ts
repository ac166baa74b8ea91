import { timestamp } from '../base/clock.ts';
import type { Pod, PodCondition } from '../api/core/v1.gen.ts';

/** Why the node itself ended a pod. */
export interface Verdict {
  readonly reason: string;
  readonly message: string;
  /** Whether the node's own trouble, rather than the pod, is the cause. */
  readonly disrupted?: boolean;
}

/** The condition of a pod that a node in trouble ends; times move only with the status. */
export function disruption(pod: Pod, verdict: Verdict | undefined, now: number): readonly PodCondition[] {
  if (verdict?.disrupted !== true) return [];
  const before = pod.status?.conditions?.find(({ type }) => type === 'DisruptionTarget');
  return [
    {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'TerminationByKubelet',
      message: verdict.message,
      lastTransitionTime: before?.lastTransitionTime ?? timestamp(now),
      ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
    },
  ];
}
