import type { Job } from '../../api/batch/v1.gen.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { countsAsFailure, judgeFailure } from './failure-policy.ts';
import { IndexSet } from './index-set.ts';
import { hasTrackingFinalizer, isPodLost, validIndexOf } from './job-state.ts';
import { endOf, msUntilRetry } from './retry-delay.ts';

const failuresAnnotation = 'batch.kubernetes.io/job-index-failure-count';
const ignoredAnnotation = 'batch.kubernetes.io/job-index-ignored-failure-count';

/** Indexes that have failed as often as they may, or that the policy gave up. */
export function failedIndexes(job: Job, pods: readonly Live<Pod>[]): IndexSet {
  const failed: number[] = [];
  const limit = job.spec.backoffLimitPerIndex ?? 0;
  for (const pod of pods) {
    const index = validIndexOf(pod, job);
    if (index === undefined || !hasTrackingFinalizer(pod) || !isPodLost(pod, job)) continue;
    const exhausted = countsAsFailure(job, pod) && failuresOf(pod) >= limit;
    if (exhausted || judgeFailure(job, pod)?.action === 'FailIndex') failed.push(index);
  }
  return IndexSet.parse(job.status?.failedIndexes, job.spec.completions).with(failed);
}

/** By index, the last lost pod that has no successor yet: it is kept, for it knows how often its index has failed. */
export function lastLostPods(
  job: Job,
  pods: readonly Live<Pod>[],
  isSettled: (index: number) => boolean,
): ReadonlyMap<number, Live<Pod>> {
  const last = new Map<number, Live<Pod>>();
  for (const pod of pods) {
    const index = validIndexOf(pod, job);
    if (index === undefined || isSettled(index)) continue;
    if (!hasTrackingFinalizer(pod) || !isPodLost(pod, job)) continue;
    const other = last.get(index);
    if (!other || (attemptsOf(other) <= attemptsOf(pod) && endOf(pod) >= endOf(other))) last.set(index, pod);
  }
  return last;
}

/** Milliseconds until the successor of a lost pod may start. */
export function msUntilSuccessor(lost: Live<Pod> | undefined, now: number): number {
  return lost ? msUntilRetry(attemptsOf(lost) + 1, endOf(lost), now) : 0;
}

/** The annotations by which a pod knows how often its index has failed before it. */
export function failureAnnotations(job: Job, lost: Live<Pod> | undefined): Record<string, string> {
  if (!lost) return { [failuresAnnotation]: '0' };
  const counts = countsAsFailure(job, lost);
  const failures = failuresOf(lost) + (counts ? 1 : 0);
  const ignored = ignoredOf(lost) + (counts ? 0 : 1);
  return {
    [failuresAnnotation]: String(failures),
    ...(ignored > 0 && { [ignoredAnnotation]: String(ignored) }),
  };
}

function failuresOf({ metadata }: Pod): number {
  return numberOf(metadata.annotations?.[failuresAnnotation]);
}

function ignoredOf({ metadata }: Pod): number {
  return numberOf(metadata.annotations?.[ignoredAnnotation]);
}

function attemptsOf(pod: Pod): number {
  return failuresOf(pod) + ignoredOf(pod);
}

function numberOf(text: string | undefined): number {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : 0;
}
