import type { Job, UncountedTerminatedPods } from '../../api/batch/v1.gen.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { isPodActive, isPodReady, isPodTerminating } from '../pods/pod-state.ts';
import { countsAsFailure } from './failure-policy.ts';
import { failedIndexes, lastLostPods } from './index-failures.ts';
import { IndexSet } from './index-set.ts';
import { hasTrackingFinalizer, isIndexed, isPodLost, limitsEachIndex, validIndexOf } from './job-state.ts';
import { endOf } from './retry-delay.ts';

/** A job's pods sorted by what they mean for it. */
export interface Tally {
  readonly active: readonly Live<Pod>[];
  readonly ready: number;
  readonly terminating: number;
  /** All that ever succeeded or failed, counted or not. */
  readonly succeeded: number;
  readonly failed: number;
  /** Put down in `status` and still held. */
  readonly uncounted: Required<UncountedTerminatedPods>;
  /** Counted in `status` so far, with those that are held no longer. */
  readonly counted: { readonly succeeded: number; readonly failed: number };
  /** Indexes that are done, of an indexed job. */
  readonly completedIndexes: IndexSet;
  /** Indexes that are given up; undefined unless each has a limit of its own. */
  readonly failedIndexes: IndexSet | undefined;
  /** By index, the lost pods that wait for a successor. */
  readonly lastLost: ReadonlyMap<number, Live<Pod>>;
  /** Since the last success. */
  readonly failures: readonly Live<Pod>[];
}

/**
 * Counts finished pods exactly once, in three writes that may each be the last before a crash: the pod's uid is put
 * down in `status.uncountedTerminatedPods`; then its finalizer is removed; then the uid turns into a count. Of an
 * indexed job's successes it is the index that is put down.
 */
export function tallyPods(job: Job, pods: readonly Live<Pod>[]): Tally {
  const { status } = job;
  const held = new Set(pods.filter(hasTrackingFinalizer).map(({ metadata }) => metadata.uid));
  const listed = {
    succeeded: status?.uncountedTerminatedPods?.succeeded ?? [],
    failed: status?.uncountedTerminatedPods?.failed ?? [],
  };
  const uncounted = {
    succeeded: listed.succeeded.filter((uid) => held.has(uid)),
    failed: listed.failed.filter((uid) => held.has(uid)),
  };
  const counted = {
    succeeded: (status?.succeeded ?? 0) + listed.succeeded.length - uncounted.succeeded.length,
    failed: (status?.failed ?? 0) + listed.failed.length - uncounted.failed.length,
  };
  const fresh = pods.filter(
    (pod) => hasTrackingFinalizer(pod) && (!isIndexed(job) || validIndexOf(pod, job) !== undefined),
  );
  const successes = fresh.filter((pod) => pod.status?.phase === 'Succeeded');
  const listedFailed = new Set(listed.failed);
  const losses = fresh.filter(
    (pod) => isPodLost(pod, job) && !listedFailed.has(pod.metadata.uid) && countsAsFailure(job, pod),
  );
  const completedIndexes = completed(job, successes);
  const failed = limitsEachIndex(job) ? failedIndexes(job, pods) : undefined;
  const active = pods.filter(isPodActive);
  const listedSucceeded = new Set(listed.succeeded);
  const unlisted = successes.filter(({ metadata }) => !listedSucceeded.has(metadata.uid));
  return {
    active,
    ready: active.filter(isPodReady).length,
    terminating: pods.filter(isPodTerminating).length,
    succeeded: isIndexed(job)
      ? completedIndexes.size
      : (status?.succeeded ?? 0) + listed.succeeded.length + unlisted.length,
    failed: (status?.failed ?? 0) + listed.failed.length + losses.length,
    uncounted,
    counted,
    completedIndexes,
    failedIndexes: failed,
    lastLost: failed
      ? lastLostPods(job, pods, settledIndexes(job, completedIndexes, { failed, active }))
      : new Map(),
    failures: failuresSinceSuccess(job, pods),
  };
}

function completed(job: Job, successes: readonly Live<Pod>[]): IndexSet {
  if (!isIndexed(job)) return IndexSet.of([]);
  const indexes = IndexSet.parse(job.status?.completedIndexes, job.spec.completions);
  return indexes.with(successes.flatMap((pod) => validIndexOf(pod, job) ?? []));
}

/** Whether an index needs no further pod. */
function settledIndexes(
  job: Job,
  completedIndexes: IndexSet,
  { failed, active }: { readonly failed: IndexSet; readonly active: readonly Live<Pod>[] },
): (index: number) => boolean {
  const running = new Set(active.map((pod) => validIndexOf(pod, job)));
  return (index) => completedIndexes.has(index) || failed.has(index) || running.has(index);
}

function failuresSinceSuccess(job: Job, pods: readonly Live<Pod>[]): readonly Live<Pod>[] {
  const successes = pods.filter(({ status }) => status?.phase === 'Succeeded').map(endOf);
  const last = successes.reduce((latest, end) => Math.max(latest, end), Number.NEGATIVE_INFINITY);
  return pods.filter((pod) => isPodLost(pod, job) && endOf(pod) > last);
}
