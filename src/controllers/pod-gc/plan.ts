import type { Node, Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { conditionOf } from '../../reconcile/conditions.ts';
import { isPodFinished } from '../pods/pod-state.ts';

/** How many finished pods upstream keeps before it deletes the oldest (`--terminated-pod-gc-threshold`). */
export const finishedLimit = 12_500;

export interface PodGcObservation {
  /** At least those that are finished, being deleted, or on nodes that are gone. */
  readonly pods: Iterable<Live<Pod>>;
  readonly finishedLimit: number;
  node(name: string): Live<Node> | undefined;
  /** Whether a node that is not there has been missing for so long that it will not come back. */
  nodeIsGone(name: string): boolean;
}

/** A pod to delete at once, without waiting for a node that will not answer. */
export interface PodRemoval {
  readonly pod: Live<Pod>;
  readonly why: 'orphaned' | 'unscheduled' | 'finished' | 'out-of-service';
}

/**
 * Pods on nodes that are gone; pods being deleted that never got a node, or whose node somebody has declared out of
 * service; and the oldest of too many finished ones, evicted ones first.
 */
export function planPodRemovals(observation: PodGcObservation): readonly PodRemoval[] {
  const removals: PodRemoval[] = [];
  const finished: Live<Pod>[] = [];
  for (const pod of observation.pods) {
    const why = reasonToRemove(pod, observation);
    if (why) removals.push({ pod, why });
    else if (isPodFinished(pod) && pod.metadata.deletionTimestamp === undefined) finished.push(pod);
  }
  const surplus = finished.length - observation.finishedLimit;
  if (surplus <= 0) return removals;
  const oldest = finished.toSorted((a, b) => (ageKey(a) < ageKey(b) ? -1 : 1)).slice(0, surplus);
  return [...removals, ...oldest.map((pod): PodRemoval => ({ pod, why: 'finished' }))];
}

function reasonToRemove(
  { spec: { nodeName }, metadata }: Live<Pod>,
  { node, nodeIsGone }: PodGcObservation,
): PodRemoval['why'] | undefined {
  const deleted = metadata.deletionTimestamp !== undefined;
  if (!nodeName) return deleted ? 'unscheduled' : undefined;
  if (nodeIsGone(nodeName)) return 'orphaned';
  return deleted && isOutOfService(node(nodeName)) ? 'out-of-service' : undefined;
}

function isOutOfService(node: Live<Node> | undefined): boolean {
  return (
    node !== undefined &&
    conditionOf(node.status?.conditions, 'Ready')?.status !== 'True' &&
    node.spec.taints?.some(({ key }) => key === 'node.kubernetes.io/out-of-service') === true
  );
}

function ageKey({ status, metadata }: Live<Pod>): string {
  const evicted = status?.phase === 'Failed' && status.reason === 'Evicted';
  return `${evicted ? 0 : 1} ${metadata.creationTimestamp} ${metadata.name}`;
}
