import type { StatefulSetStatus } from '../../api/apps/v1.gen.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import { omitZero } from '../../reconcile/omit-zero.ts';
import { isPodReady, msUntilAvailable } from '../pods/pod-state.ts';
import { revisionOf } from './identity.ts';
import type { StatefulSetObservation } from './observation.ts';

/** The status that the pods add up to. An update whose every pod is there and ready makes its revision the current one. */
export function planStatus(
  { set, pods, current, update, now }: StatefulSetObservation,
  collisionCount: number,
): StatefulSetStatus {
  const { spec, status, metadata } = set;
  const ready = pods.filter((pod) => pod.status?.phase === 'Running' && isPodReady(pod));
  const available = ready.filter((pod) => msUntilAvailable(pod, spec.minReadySeconds ?? 0, now) === 0);
  const updated = countOf(pods, update.metadata.name);
  const wanted = spec.replicas ?? 1;
  const complete =
    spec.updateStrategy?.type !== 'OnDelete' &&
    [updated, ready.length, pods.length].every((count) => count === wanted);
  return {
    replicas: pods.length,
    availableReplicas: available.length,
    ...omitZero({
      observedGeneration: metadata.generation,
      readyReplicas: ready.length,
      currentReplicas: complete ? updated : countOf(pods, current.metadata.name),
      updatedReplicas: updated,
      currentRevision: complete ? update.metadata.name : current.metadata.name,
      updateRevision: update.metadata.name,
      conditions: status?.conditions,
    }),
    collisionCount,
  };
}

/** How many pods of a revision stay. */
function countOf(pods: readonly Pod[], revision: string): number {
  return pods.filter((pod) => revisionOf(pod) === revision && pod.metadata.deletionTimestamp === undefined)
    .length;
}

/** Milliseconds until the next ready pod has been so for `minReadySeconds`; undefined when none is waiting for that. */
export function nextAvailability({ set, pods, now }: StatefulSetObservation): number | undefined {
  const waits = pods.flatMap((pod) => {
    const ms = msUntilAvailable(pod, set.spec.minReadySeconds ?? 0, now);
    return ms !== undefined && ms > 0 ? [ms] : [];
  });
  return waits.length > 0 ? Math.min(...waits) : undefined;
}
