import type { Job, UncountedTerminatedPods } from '../../api/batch/v1.gen.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { isPodReady } from '../pods/pod-state.ts';
import { judgeFailure, type FailureVerdict } from './failure-policy.ts';
import { parseIndexes } from './index-set.ts';
import { hasTrackingFinalizer, indexOf, isIndexed, replacesOnlyFailed } from './job-state.ts';

/** A job's pods sorted by what they mean for it. */
export interface Tally {
  readonly active: readonly Live<Pod>[];
  readonly ready: number;
  readonly terminating: number;
  /** All that ever succeeded or failed, counted or not. */
  readonly succeeded: number;
  readonly failed: number;
  readonly uncounted: Required<UncountedTerminatedPods>;
  /** Counted in `status` so far. */
  readonly counted: { readonly succeeded: number; readonly failed: number };
  /** Indexes that are done, of an indexed job. */
  readonly completedIndexes: ReadonlySet<number>;
  /** Pods whose fate is written down and that may therefore go. */
  readonly release: readonly Live<Pod>[];
  /** The first failure that ends the job by its policy. */
  readonly failJob: FailureVerdict | undefined;
  readonly failures: readonly Live<Pod>[];
}

/**
 * Counts finished pods exactly once, in three writes that may each be the last before a crash: the pod's uid is put
 * down in `status.uncountedTerminatedPods`; then its finalizer is removed; then the uid turns into a count.
 */
export function tallyPods(job: Job, pods: readonly Live<Pod>[]): Tally {
  const { status } = job;
  const byUid = new Map(pods.map((pod) => [pod.metadata.uid, pod]));
  const listed = {
    succeeded: new Set(status?.uncountedTerminatedPods?.succeeded),
    failed: new Set(status?.uncountedTerminatedPods?.failed),
  };
  const stillHeld = (uid: string): boolean => {
    const pod = byUid.get(uid);
    return pod !== undefined && hasTrackingFinalizer(pod);
  };
  const uncounted = {
    succeeded: [...listed.succeeded].filter(stillHeld),
    failed: [...listed.failed].filter(stillHeld),
  };
  const counted = {
    succeeded: (status?.succeeded ?? 0) + listed.succeeded.size - uncounted.succeeded.length,
    failed: (status?.failed ?? 0) + listed.failed.size - uncounted.failed.length,
  };
  const release = pods.filter(
    (pod) =>
      hasTrackingFinalizer(pod) &&
      (listed.succeeded.has(pod.metadata.uid) || listed.failed.has(pod.metadata.uid)),
  );
  const completedIndexes = parseIndexes(isIndexed(job) ? status?.completedIndexes : undefined);
  const failures: Live<Pod>[] = [];
  let failJob: FailureVerdict | undefined;
  const ignored: Live<Pod>[] = [];
  for (const pod of pods) {
    const { uid } = pod.metadata;
    if (isFailed(pod, job)) failures.push(pod);
    if (!hasTrackingFinalizer(pod) || listed.succeeded.has(uid) || listed.failed.has(uid)) continue;
    if (pod.status?.phase === 'Succeeded') {
      const index = isIndexed(job) ? indexOf(pod) : undefined;
      if (index === undefined || !completedIndexes.has(index)) uncounted.succeeded.push(uid);
      else ignored.push(pod);
      if (index !== undefined) completedIndexes.add(index);
    } else if (isFailed(pod, job)) {
      const verdict = judgeFailure(job, pod);
      if (verdict?.action === 'FailJob') failJob ??= verdict;
      if (verdict?.action === 'Ignore') ignored.push(pod);
      else uncounted.failed.push(uid);
    }
  }
  const active = pods.filter((pod) => isActive(pod));
  return {
    active,
    ready: active.filter(isPodReady).length,
    terminating: pods.filter((pod) => isTerminating(pod)).length,
    succeeded: isIndexed(job) ? completedIndexes.size : counted.succeeded + uncounted.succeeded.length,
    failed: counted.failed + uncounted.failed.length,
    uncounted,
    counted,
    completedIndexes,
    release: [...release, ...ignored],
    failJob,
    failures,
  };
}

function isActive({ status, metadata }: Pod): boolean {
  return (
    status?.phase !== 'Succeeded' && status?.phase !== 'Failed' && metadata.deletionTimestamp === undefined
  );
}

function isTerminating({ status, metadata }: Pod): boolean {
  return (
    status?.phase !== 'Succeeded' && status?.phase !== 'Failed' && metadata.deletionTimestamp !== undefined
  );
}

function isFailed(pod: Pod, job: Job): boolean {
  if (pod.status?.phase === 'Failed') return true;
  return !replacesOnlyFailed(job) && isTerminating(pod);
}
