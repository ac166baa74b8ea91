import type { Job, UncountedTerminatedPods } from '../../api/batch/v1.gen.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { isPodActive, isPodReady, isPodTerminating } from '../pods/pod-state.ts';
import { countsAsFailure } from './failure-policy.ts';
import { failedIndexes, lastLostPods } from './index-failures.ts';
import { parseIndexes } from './index-set.ts';
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
  readonly completedIndexes: ReadonlySet<number>;
  /** Indexes that are given up; undefined unless each has a limit of its own. */
  readonly failedIndexes: ReadonlySet<number> | undefined;
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
  const losses = fresh.filter(
    (pod) => isPodLost(pod, job) && !listed.failed.includes(pod.metadata.uid) && countsAsFailure(job, pod),
  );
  const completedIndexes = completed(job, successes);
  const failed = limitsEachIndex(job) ? failedIndexes(job, pods) : undefined;
  const active = pods.filter(isPodActive);
  const unlisted = successes.filter(({ metadata }) => !listed.succeeded.includes(metadata.uid));
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

function completed(job: Job, successes: readonly Live<Pod>[]): Set<number> {
  if (!isIndexed(job)) return new Set();
  const indexes = parseIndexes(job.status?.completedIndexes, job.spec.completions);
  for (const pod of successes) {
    const index = validIndexOf(pod, job);
    if (index !== undefined) indexes.add(index);
  }
  return indexes;
}

/** Indexes that need no further pod. */
function settledIndexes(
  job: Job,
  completedIndexes: ReadonlySet<number>,
  { failed, active }: { readonly failed: ReadonlySet<number>; readonly active: readonly Live<Pod>[] },
): ReadonlySet<number> {
  const running = active.flatMap((pod) => validIndexOf(pod, job) ?? []);
  return new Set([...completedIndexes, ...failed, ...running]);
}

function failuresSinceSuccess(job: Job, pods: readonly Live<Pod>[]): readonly Live<Pod>[] {
  const successes = pods.filter(({ status }) => status?.phase === 'Succeeded').map(endOf);
  const last = Math.max(Number.NEGATIVE_INFINITY, ...successes);
  return pods.filter((pod) => isPodLost(pod, job) && endOf(pod) > last);
}
