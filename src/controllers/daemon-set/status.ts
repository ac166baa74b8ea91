import type { DaemonSetStatus } from '../../api/apps/v1.gen.ts';
import { omitZero } from '../../reconcile/omit-zero.ts';
import { isPodReady, msUntilAvailable } from '../pods/pod-state.ts';
import { isAvailable, isUpdated, oldestOf, type DaemonSetObservation, type NodePods } from './plan.ts';

/** The status that nodes and pods add up to. Of several pods on a node the oldest counts. */
export function planStatus(
  observation: DaemonSetObservation,
  places: readonly NodePods[],
  collisionCount: number,
): DaemonSetStatus {
  const { set } = observation;
  const existing = places.filter(({ placement }) => placement !== undefined);
  const desired = existing.filter(({ placement }) => placement === 'run');
  const firsts = desired.flatMap(({ pods }) => oldestOf(pods) ?? []);
  const ready = firsts.filter(isPodReady);
  const available = ready.filter((pod) => isAvailable(observation, pod));
  const misplaced = existing.filter(({ placement, pods }) => placement !== 'run' && pods.length > 0);
  return {
    currentNumberScheduled: firsts.length,
    desiredNumberScheduled: desired.length,
    numberMisscheduled: misplaced.length,
    numberReady: ready.length,
    ...omitZero({
      observedGeneration: set.metadata.generation,
      updatedNumberScheduled: firsts.filter((pod) => isUpdated(observation, pod)).length,
      numberAvailable: available.length,
      numberUnavailable: desired.length - available.length,
      collisionCount,
      conditions: set.status?.conditions,
    }),
  };
}

/** Milliseconds until the next ready pod has been so for `minReadySeconds`; undefined when none is waiting for that. */
export function nextAvailability({ set, pods, now }: DaemonSetObservation): number | undefined {
  const waits = pods.flatMap((pod) => {
    const ms = msUntilAvailable(pod, set.spec.minReadySeconds ?? 0, now);
    return ms !== undefined && ms > 0 ? [ms] : [];
  });
  return waits.length > 0 ? Math.min(...waits) : undefined;
}
