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
    conditionOf(status?.conditions, 'FailureTarget'),
    conditionOf(status?.conditions, 'SuccessCriteriaMet'),
  ].find((condition) => condition?.status === 'True');
}

export function isSuspended({ status }: Job): boolean {
  return isConditionTrue(status?.conditions, 'Suspended');
}

export function isIndexed({ spec }: Job): boolean {
  return spec.completionMode === 'Indexed';
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

export function hasTrackingFinalizer({ metadata }: Pod): boolean {
  return metadata.finalizers?.includes(trackingFinalizer) === true;
}
