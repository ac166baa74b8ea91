import type { Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { isPodFinished } from '../pods/pod-state.ts';

/** How many finished pods upstream keeps before it deletes the oldest. */
const finishedLimit = 12_500;

export interface PodGcObservation {
  readonly pods: readonly Live<Pod>[];
  /** Whether the node exists; asked only of nodes that have been missing for a while. */
  nodeIsGone(name: string): boolean;
}

/** A pod to delete at once, without waiting for a node that will not answer. */
export interface PodRemoval {
  readonly pod: Live<Pod>;
  readonly why: 'orphaned' | 'unscheduled' | 'finished';
}

/** Pods on nodes that are gone, pods deleted before they got a node, and the oldest of too many finished ones. */
export function planPodRemovals({ pods, nodeIsGone }: PodGcObservation): readonly PodRemoval[] {
  const removals = pods.flatMap((pod): PodRemoval[] => {
    const { nodeName } = pod.spec;
    if (nodeName) return nodeIsGone(nodeName) ? [{ pod, why: 'orphaned' }] : [];
    return pod.metadata.deletionTimestamp === undefined ? [] : [{ pod, why: 'unscheduled' }];
  });
  const removed = new Set(removals.map(({ pod }) => pod));
  const finished = pods
    .filter((pod) => isPodFinished(pod) && pod.metadata.deletionTimestamp === undefined && !removed.has(pod))
    .toSorted((a, b) => (a.metadata.creationTimestamp < b.metadata.creationTimestamp ? -1 : 1));
  const surplus = finished.slice(0, Math.max(0, finished.length - finishedLimit));
  return [...removals, ...surplus.map((pod): PodRemoval => ({ pod, why: 'finished' }))];
}
