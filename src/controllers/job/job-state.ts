import type { Job, JobCondition } from '../../api/batch/v1.gen.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import { conditionOf, isConditionTrue } from '../../reconcile/conditions.ts';

/** Keeps a job's pods until they are counted. */
export const trackingFinalizer: string = 'batch.kubernetes.io/job-tracking';
export const indexAnnotation: string = 'batch.kubernetes.io/job-completion-index';

/** The condition that ends a job, once it has it. */
export function finishedCondition({ status }: Job): JobCondition | undefined {
  return status?.conditions?.find(
    (condition) =>
      (condition.type === 'Complete' || condition.type === 'Failed') && condition.status === 'True',
  );
}

/** When the job finished, in milliseconds since the epoch; undefined while it has not. */
export function finishedAt(job: Job): number | undefined {
  const finished = finishedCondition(job);
  return finished && Date.parse(finished.lastTransitionTime ?? '');
}

/** The verdict that a job is about to end with, while its pods are still being stopped. */
export function pendingVerdict({ status }: Job): JobCondition | undefined {
  return [
    conditionOf(status?.conditions, 'SuccessCriteriaMet'),
    conditionOf(status?.conditions, 'FailureTarget'),
  ].find((condition) => condition?.status === 'True');
}

export function isSuspended({ status }: Job): boolean {
  return isConditionTrue(status?.conditions, 'Suspended');
}

export function isIndexed({ spec }: Job): boolean {
  return spec.completionMode === 'Indexed';
}

/** Whether each index has a number of failures of its own. */
export function limitsEachIndex(job: Job): boolean {
  return isIndexed(job) && job.spec.backoffLimitPerIndex !== undefined;
}

/** Whether only failed pods are replaced, rather than those that are being deleted too. */
export function replacesOnlyFailed({ spec }: Job): boolean {
  return (
    (spec.podReplacementPolicy ?? (spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed')) === 'Failed'
  );
}

/** The completion index of a pod of an indexed job. */
export function indexOf(pod: Pod): number | undefined {
  const text = pod.metadata.annotations?.[indexAnnotation];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}

/** The same, unless the job has no such index (any more). */
export function validIndexOf(pod: Pod, { spec }: Job): number | undefined {
  const index = indexOf(pod);
  return index !== undefined && index < (spec.completions ?? 0) ? index : undefined;
}

export function hasTrackingFinalizer({ metadata }: Pod): boolean {
  return metadata.finalizers?.includes(trackingFinalizer) === true;
}

/** Whether a pod is lost to its job: it failed, or it goes and the job does not wait for that. */
export function isPodLost({ status, metadata }: Pod, job: Job): boolean {
  if (status?.phase === 'Failed') return true;
  return (
    !replacesOnlyFailed(job) && metadata.deletionTimestamp !== undefined && status?.phase !== 'Succeeded'
  );
}
