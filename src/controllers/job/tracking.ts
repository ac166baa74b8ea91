import type { UncountedTerminatedPods } from '../../api/batch/v1.gen.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { countsAsFailure } from './failure-policy.ts';
import { hasTrackingFinalizer, indexOf, isIndexed, isPodLost, validIndexOf } from './job-state.ts';
import type { Case, Verdict } from './verdict.ts';

/** What is put down about pods, and which may go once it is. */
export interface Tracking {
  readonly uncounted: Required<UncountedTerminatedPods>;
  readonly release: readonly Live<Pod>[];
  /** More pods wait than are put down at a time. */
  readonly partial: boolean;
}

/** So many uids, at most, stand in the status at a time. */
const mostUncounted = 500;

/** Puts down the fate of pods that are over, or that a verdict ends. */
export function trackPods(subject: Case, ending: Verdict | undefined): Tracking {
  const { job, pods, tally } = subject;
  const succeeded = [...tally.uncounted.succeeded];
  const failed = [...tally.uncounted.failed];
  const release: Live<Pod>[] = [];
  const ordered = isIndexed(job) ? pods.toSorted((a, b) => (indexOf(a) ?? -1) - (indexOf(b) ?? -1)) : pods;
  let partial = false;
  for (const pod of ordered) {
    if (!hasTrackingFinalizer(pod) || !mayGo(subject, pod, ending)) continue;
    if (succeeded.length + failed.length >= mostUncounted) {
      partial = true;
      break;
    }
    release.push(pod);
    const { uid } = pod.metadata;
    const fate = fateOf(subject, pod, ending);
    if (fate === 'succeeded' && !succeeded.includes(uid)) succeeded.push(uid);
    if (fate === 'failed' && !failed.includes(uid)) failed.push(uid);
  }
  return { uncounted: { succeeded, failed }, release, partial };
}

/** A lost pod of an index stays until its successor has taken over its number of failures. */
function mayGo({ job, tally }: Case, pod: Live<Pod>, ending: Verdict | undefined): boolean {
  if (job.metadata.deletionTimestamp !== undefined || ending || pod.status?.phase === 'Succeeded')
    return true;
  if (!isPodLost(pod, job)) return false;
  const index = indexOf(pod);
  return index === undefined || tally.lastLost.get(index)?.metadata.uid !== pod.metadata.uid;
}

/** What a pod counts as. When a job fails, so do all pods that have not ended yet. */
function fateOf(
  { job, tally }: Case,
  pod: Live<Pod>,
  ending: Verdict | undefined,
): 'succeeded' | 'failed' | undefined {
  if (pod.status?.phase === 'Succeeded' && !tally.uncounted.failed.includes(pod.metadata.uid))
    return isIndexed(job) ? undefined : 'succeeded';
  if (!isPodLost(pod, job) && ending?.type !== 'Failed') return undefined;
  if (isIndexed(job) && validIndexOf(pod, job) === undefined) return undefined;
  return countsAsFailure(job, pod) ? 'failed' : undefined;
}
