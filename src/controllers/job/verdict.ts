import type { Job, JobCondition } from '../../api/batch/v1.gen.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { judgeFailure } from './failure-policy.ts';
import { isIndexed, isPodLost, pendingVerdict } from './job-state.ts';
import { metSuccessRule } from './success-policy.ts';
import type { Tally } from './tally.ts';

/** How a job ends. */
export interface Verdict {
  readonly type: 'Complete' | 'Failed';
  readonly reason: string;
  readonly message: string;
}

export interface Case {
  readonly job: Job;
  readonly pods: readonly Live<Pod>[];
  readonly tally: Tally;
  readonly now: number;
}

/** Whether a job ends though pods of it may run, which are stopped then. A verdict that was put down once stands. */
export function verdictOn(subject: Case): Verdict | undefined {
  const pending = pendingVerdict(subject.job);
  if (pending) return standing(pending);
  return failureOf(subject) ?? indexVerdict(subject);
}

/** Whether a job is complete, with `active` pods left running. */
export function completion({ spec }: Job, { succeeded }: Tally, active: number): Verdict | undefined {
  const enough = spec.completions === undefined ? succeeded > 0 : succeeded >= spec.completions;
  if (!enough || active > 0) return undefined;
  const message = 'Reached expected number of succeeded pods';
  return { type: 'Complete', reason: 'CompletionsReached', message };
}

/** Milliseconds until the job has been active for too long; undefined when that is not limited, or while it is suspended. */
export function msUntilDeadline({ spec, status }: Job, now: number): number | undefined {
  if (spec.activeDeadlineSeconds === undefined || status?.startTime === undefined || spec.suspend)
    return undefined;
  return Math.max(0, Date.parse(status.startTime) + spec.activeDeadlineSeconds * 1000 - now);
}

function standing({ type, reason = '', message = '' }: JobCondition): Verdict {
  return { type: type === 'FailureTarget' ? 'Failed' : 'Complete', reason, message };
}

function failureOf({ job, pods, tally, now }: Case): Verdict | undefined {
  const { backoffLimit = 6 } = job.spec;
  const lost = job.spec.podFailurePolicy ? pods.filter((pod) => isPodLost(pod, job)) : [];
  const verdicts = lost.map((pod) => judgeFailure(job, pod));
  const fatal = verdicts.find((verdict) => verdict?.action === 'FailJob');
  if (fatal) return { type: 'Failed', reason: 'PodFailurePolicy', message: fatal.message };
  if (tally.failed > backoffLimit || restartsExceed(job, pods)) {
    const message = 'Job has reached the specified backoff limit';
    return { type: 'Failed', reason: 'BackoffLimitExceeded', message };
  }
  if (msUntilDeadline(job, now) === 0) {
    const message = 'Job was active longer than specified deadline';
    return { type: 'Failed', reason: 'DeadlineExceeded', message };
  }
  return undefined;
}

/** With `OnFailure` it is the restarts of containers that count. */
function restartsExceed({ spec }: Job, pods: readonly Pod[]): boolean {
  if (spec.template.spec.restartPolicy !== 'OnFailure') return false;
  const restarts = pods
    .filter(({ status }) => status?.phase === 'Running' || status?.phase === 'Pending')
    .flatMap(({ status }) => [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])])
    .reduce((sum, container) => sum + container.restartCount, 0);
  const { backoffLimit = 6 } = spec;
  return backoffLimit === 0 ? restarts > 0 : restarts >= backoffLimit;
}

function indexVerdict({ job, tally }: Case): Verdict | undefined {
  if (!isIndexed(job)) return undefined;
  const { completions = 0, maxFailedIndexes } = job.spec;
  const { failedIndexes, completedIndexes } = tally;
  if (failedIndexes && maxFailedIndexes !== undefined && failedIndexes.size > maxFailedIndexes) {
    const message = 'Job has exceeded the specified maximal number of failed indexes';
    return { type: 'Failed', reason: 'MaxFailedIndexesExceeded', message };
  }
  if (failedIndexes?.size && failedIndexes.size + completedIndexes.size >= completions) {
    return { type: 'Failed', reason: 'FailedIndexes', message: 'Job has failed indexes' };
  }
  const rule = metSuccessRule(job.spec, completedIndexes);
  if (rule === undefined) return undefined;
  return { type: 'Complete', reason: 'SuccessPolicy', message: `Matched rules at index ${rule}` };
}
