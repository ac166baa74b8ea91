import type { ControllerRevision, StatefulSet } from '../../api/apps/v1.gen.ts';
import type { PersistentVolumeClaim, Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { isPodReady, msUntilAvailable } from '../pods/pod-state.ts';
import { revisionOf } from './identity.ts';

export interface StatefulSetObservation {
  readonly set: Live<StatefulSet>;
  /** Every pod it owns, in whatever state. */
  readonly pods: readonly Live<Pod>[];
  /** The claim of that name, if it exists. */
  claim(name: string): Live<PersistentVolumeClaim> | undefined;
  /** The revision that pods had before the update that is under way; `update` when none is. */
  readonly current: Live<ControllerRevision>;
  /** The revision of the set's template. */
  readonly update: Live<ControllerRevision>;
  readonly now: number;
}

/** A place in the set and the pod that holds it. */
export interface Member {
  readonly ordinal: number;
  readonly pod: Live<Pod> | undefined;
}

/** Whether members are created, replaced and deleted one after the other. */
export function isOrdered({ spec }: StatefulSet): boolean {
  return spec.podManagementPolicy !== 'Parallel';
}

/** Running, ready and not going away. */
export function isHealthy(pod: Pod): boolean {
  return pod.status?.phase === 'Running' && isPodReady(pod) && pod.metadata.deletionTimestamp === undefined;
}

/** Healthy for the set's `minReadySeconds`. */
export function isAvailable({ set, now }: StatefulSetObservation, pod: Pod): boolean {
  return isHealthy(pod) && msUntilAvailable(pod, set.spec.minReadySeconds ?? 0, now) === 0;
}

/** Whether a member has the revision that the set updates to. */
export function isUpdated({ update }: StatefulSetObservation, pod: Pod): boolean {
  return revisionOf(pod) === update.metadata.name;
}
