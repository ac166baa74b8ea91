import type { Job, JobCondition, JobStatus } from '../../api/batch/v1.gen.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import { timestamp } from '../../base/clock.ts';
import type { Live } from '../../machinery/object.ts';
import { withCondition } from '../../reconcile/conditions.ts';
import { omitZero } from '../../reconcile/omit-zero.ts';
import { inDeletionOrder } from '../pods/deletion-order.ts';
import { formatIndexes } from './index-set.ts';
import {
  finishedCondition,
  indexOf,
  isIndexed,
  isSuspended,
  pendingVerdict,
  replacesOnlyFailed,
} from './job-state.ts';
import { tallyPods, type Tally } from './tally.ts';

export interface JobObservation {
  readonly job: Live<Job>;
  /** Every pod it owns. */
  readonly pods: readonly Live<Pod>[];
  readonly now: number;
}

export interface JobPlan {
  /** One entry a pod to create: its completion index, or undefined. */
  readonly create: readonly (number | undefined)[];
  readonly remove: readonly Live<Pod>[];
  /** Pods to take the tracking finalizer from, once `status` is written. */
  readonly release: readonly Live<Pod>[];
  readonly status: JobStatus;
  /** Milliseconds until time alone changes the plan. */
  readonly recheckMs: number | undefined;
  readonly events: readonly {
    readonly type: 'Normal' | 'Warning';
    readonly reason: string;
    readonly message: string;
  }[];
}

const podBackoffMs = 10_000;
const maxPodBackoffMs = 600_000;
const burst = 500;

type Verdict = Pick<JobCondition, 'type' | 'reason' | 'message'> & {
  readonly reason: string;
  readonly message: string;
};

/** What a job needs next. */
export function planJob({ job, pods, now }: JobObservation): JobPlan {
  const tally = tallyPods(job, pods);
  const ending = finishedCondition(job) ? undefined : (pendingEnd(job) ?? verdictOn(job, tally, now));
  const stopping = ending !== undefined || finishedCondition(job) !== undefined || job.spec.suspend === true;
  const remove = stopping ? tally.active : surplus(job, tally, now);
  const waitMs = stopping ? 0 : msUntilRetry(tally, now);
  const create =
    stopping || waitMs > 0 || job.metadata.deletionTimestamp !== undefined ? [] : missing(job, tally);
  const ended = ending !== undefined && tally.active.length === 0 && tally.terminating === 0;
  const uncountedLeft = tally.uncounted.succeeded.length + tally.uncounted.failed.length;
  const final = ended && uncountedLeft === 0;
  const conditions = planConditions(job, { ending, final, now });
  return {
    create,
    remove,
    release: tally.release,
    status: planStatus(job, tally, { conditions, now }),
    recheckMs: earliest(waitMs > 0 ? waitMs : undefined, msUntilDeadline(job, now)),
    events: planEvents(job, { ending: final ? ending : undefined }),
  };
}

/** A verdict put down earlier, whose pods are still being stopped. */
function pendingEnd(job: Job): Verdict | undefined {
  const pending = pendingVerdict(job);
  if (!pending) return undefined;
  const { type, reason = '', message = '' } = pending;
  return { type: type === 'FailureTarget' ? 'Failed' : 'Complete', reason, message };
}

/** Whether the job is over, and how. */
function verdictOn(job: Job, tally: Tally, now: number): Verdict | undefined {
  const { backoffLimit = 6, completions } = job.spec;
  if (tally.failJob) return { type: 'Failed', reason: 'PodFailurePolicy', message: tally.failJob.message };
  if (tally.failed > backoffLimit || restartsExceed(job, tally)) {
    const message = 'Job has reached the specified backoff limit';
    return { type: 'Failed', reason: 'BackoffLimitExceeded', message };
  }
  if (job.spec.suspend !== true && msUntilDeadline(job, now) === 0) {
    const message = 'Job was active longer than specified deadline';
    return { type: 'Failed', reason: 'DeadlineExceeded', message };
  }
  const complete =
    completions === undefined
      ? tally.succeeded > 0 && tally.active.length === 0
      : tally.succeeded >= completions && job.spec.suspend !== true;
  if (!complete) return undefined;
  const message = 'Reached expected number of succeeded pods';
  return { type: 'Complete', reason: 'CompletionsReached', message };
}

/** With `OnFailure` it is the restarts of containers that count. */
function restartsExceed({ spec }: Job, { active }: Tally): boolean {
  if (spec.template.spec.restartPolicy !== 'OnFailure') return false;
  const restarts = active
    .flatMap((pod) => [
      ...(pod.status?.containerStatuses ?? []),
      ...(pod.status?.initContainerStatuses ?? []),
    ])
    .reduce((sum, container) => sum + container.restartCount, 0);
  const { backoffLimit = 6 } = spec;
  return backoffLimit === 0 ? restarts > 0 : restarts >= backoffLimit;
}

function wantedActive({ spec }: Job, tally: Tally): number {
  const { parallelism = 1, completions } = spec;
  if (completions === undefined)
    return tally.succeeded > 0 ? Math.min(tally.active.length, parallelism) : parallelism;
  return Math.max(0, Math.min(parallelism, completions - tally.succeeded));
}

function surplus(job: Job, tally: Tally, now: number): readonly Live<Pod>[] {
  const seen = new Set<number>();
  const redundant = isIndexed(job)
    ? tally.active.filter((pod) => {
        const index = indexOf(pod);
        if (index === undefined || seen.has(index) || tally.completedIndexes.has(index)) return true;
        seen.add(index);
        return index >= (job.spec.completions ?? 0);
      })
    : [];
  const rest = tally.active.filter((pod) => !redundant.includes(pod));
  const excess = Math.max(0, rest.length - wantedActive(job, tally));
  return [...redundant, ...inDeletionOrder(rest, rest, now).slice(0, excess)];
}

function missing(job: Job, tally: Tally): readonly (number | undefined)[] {
  const occupied = tally.active.length + (replacesOnlyFailed(job) ? tally.terminating : 0);
  const count = Math.min(burst, Math.max(0, wantedActive(job, tally) - occupied));
  if (!isIndexed(job)) return Array.from({ length: count }, () => undefined);
  const taken = new Set(tally.active.map(indexOf));
  const free: number[] = [];
  for (let index = 0; index < (job.spec.completions ?? 0) && free.length < count; index++) {
    if (!taken.has(index) && !tally.completedIndexes.has(index)) free.push(index);
  }
  return free;
}

/** Failed pods are replaced ever later: 10 s after the first failure, twice as long after each in a row. */
function msUntilRetry({ failures, succeeded }: Tally, now: number): number {
  if (failures.length === 0 || succeeded > 0) return 0;
  const last = Math.max(...failures.map(finishTime));
  const delay = Math.min(maxPodBackoffMs, podBackoffMs * 2 ** (failures.length - 1));
  return Math.max(0, last + delay - now);
}

function finishTime({ status, metadata }: Live<Pod>): number {
  const times = (status?.containerStatuses ?? []).flatMap(
    ({ state }) => Date.parse(state?.terminated?.finishedAt ?? '') || [],
  );
  return Math.max(0, ...times) || Date.parse(metadata.deletionTimestamp ?? metadata.creationTimestamp);
}

function msUntilDeadline({ spec, status }: Job, now: number): number | undefined {
  if (spec.activeDeadlineSeconds === undefined || status?.startTime === undefined || spec.suspend)
    return undefined;
  return Math.max(0, Date.parse(status.startTime) + spec.activeDeadlineSeconds * 1000 - now);
}

function planConditions(
  job: Job,
  {
    ending,
    final,
    now,
  }: { readonly ending: Verdict | undefined; readonly final: boolean; readonly now: number },
): readonly JobCondition[] {
  const times = { lastProbeTime: timestamp(now), lastTransitionTime: timestamp(now) };
  let conditions = job.status?.conditions ?? [];
  if (ending) {
    const { type, reason, message } = ending;
    const interim = type === 'Failed' ? 'FailureTarget' : 'SuccessCriteriaMet';
    conditions = withCondition(conditions, { type: interim, status: 'True', reason, message, ...times });
    if (final) conditions = withCondition(conditions, { type, status: 'True', reason, message, ...times });
    return conditions;
  }
  if (finishedCondition(job)) return conditions;
  if (job.spec.suspend && !isSuspended(job)) {
    const why = { reason: 'JobSuspended', message: 'Job suspended' };
    return withCondition(conditions, { type: 'Suspended', status: 'True', ...why, ...times });
  }
  if (!job.spec.suspend && isSuspended(job)) {
    const why = { reason: 'JobResumed', message: 'Job resumed' };
    return withCondition(conditions, { type: 'Suspended', status: 'False', ...why, ...times });
  }
  return conditions;
}

function planStatus(
  job: Job,
  tally: Tally,
  { conditions, now }: { readonly conditions: readonly JobCondition[]; readonly now: number },
): JobStatus {
  const { status, spec } = job;
  const complete = conditions.some(({ type, status }) => type === 'Complete' && status === 'True');
  const started = spec.suspend ? undefined : (status?.startTime ?? timestamp(now));
  const over = finishedCondition(job) !== undefined;
  const startTime = over ? status?.startTime : started;
  const completionTime = status?.completionTime ?? (complete ? timestamp(now) : undefined);
  const indexes = isIndexed(job) ? formatIndexes(tally.completedIndexes) : undefined;
  return {
    ready: tally.ready,
    terminating: tally.terminating,
    uncountedTerminatedPods: omitZero(tally.uncounted),
    ...omitZero({
      active: tally.active.length,
      succeeded: isIndexed(job) ? tally.completedIndexes.size : tally.counted.succeeded,
      failed: tally.counted.failed,
      completedIndexes: indexes,
      startTime,
      completionTime,
      conditions,
    }),
  };
}

function planEvents(job: Job, { ending }: { readonly ending: Verdict | undefined }): JobPlan['events'] {
  if (ending) {
    return ending.type === 'Complete'
      ? [{ type: 'Normal', reason: 'Completed', message: 'Job completed' }]
      : [{ type: 'Warning', reason: ending.reason, message: ending.message }];
  }
  if (finishedCondition(job)) return [];
  if (job.spec.suspend && !isSuspended(job))
    return [{ type: 'Normal', reason: 'Suspended', message: 'Job suspended' }];
  if (!job.spec.suspend && isSuspended(job))
    return [{ type: 'Normal', reason: 'Resumed', message: 'Job resumed' }];
  return [];
}

function earliest(...waits: readonly (number | undefined)[]): number | undefined {
  const known = waits.filter((ms) => ms !== undefined).filter((ms) => ms > 0);
  return known.length > 0 ? Math.min(...known) : undefined;
}
