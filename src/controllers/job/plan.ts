import type { Job, JobCondition, JobStatus } from '../../api/batch/v1.gen.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import { timestamp } from '../../base/clock.ts';
import type { Live } from '../../machinery/object.ts';
import { withCondition } from '../../reconcile/conditions.ts';
import { omitZero } from '../../reconcile/omit-zero.ts';
import { isPodActive, isPodReady } from '../pods/pod-state.ts';
import { finishedCondition, hasTrackingFinalizer, isIndexed, isSuspended } from './job-state.ts';
import { planPods, type NewPod, type PodChanges } from './pod-changes.ts';
import { tallyPods, type Tally } from './tally.ts';
import { trackPods, type Tracking } from './tracking.ts';
import { completion, msUntilDeadline, verdictOn, type Case, type Verdict } from './verdict.ts';

export interface JobObservation {
  readonly job: Live<Job>;
  /** Every pod it owns. */
  readonly pods: readonly Live<Pod>[];
  readonly now: number;
}

/** To be carried out in this order. */
export interface JobPlan {
  readonly status: JobStatus;
  /** Pods that a verdict ends; they are counted. */
  readonly remove: readonly Live<Pod>[];
  /** Pods to take the tracking finalizer from. */
  readonly release: readonly Live<Pod>[];
  /** Pods that are too many: the finalizer is taken from them, and then they are deleted. */
  readonly discard: readonly Live<Pod>[];
  readonly create: readonly NewPod[];
  /** Milliseconds until time alone changes the plan. */
  readonly recheckMs: number | undefined;
  readonly events: readonly JobEvent[];
}

interface JobEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

const noChanges: PodChanges = { create: [], discard: [], waitMs: undefined };

/** What a job needs next. One that has finished only lets go of its pods. */
export function planJob({ job, pods, now }: JobObservation): JobPlan {
  if (finishedCondition(job)) {
    const release = pods.filter(hasTrackingFinalizer);
    const remove = release.filter(isPodActive);
    const status = job.status ?? {};
    return { status, remove, release, discard: [], create: [], recheckMs: undefined, events: [] };
  }
  const subject: Case = { job, pods, tally: tallyPods(job, pods), now };
  const verdict = verdictOn(subject);
  const changes = verdict ? noChanges : planPods(subject);
  const ends: Ends = verdict
    ? { active: subject.tally.active, verdict }
    : { active: changes.discard, verdict: completed(subject, changes) };
  const discarded = new Set(changes.discard);
  const kept = { ...subject, pods: pods.filter((pod) => !discarded.has(pod)) };
  const tracking = trackPods(kept, ends.verdict);
  const final = isFinal(subject, ends, tracking);
  return {
    status: planStatus(subject, ends, { tracking, final }),
    remove: verdict ? subject.tally.active : [],
    release: tracking.release,
    discard: changes.discard,
    create: ends.verdict ? [] : changes.create,
    recheckMs: ends.verdict ? undefined : earliest(changes.waitMs, msUntilDeadline(job, now)),
    events: final ? finishEvents(subject, ends.verdict) : suspendEvents(job, ends.verdict),
  };
}

/** Active pods that are being stopped, and how the job ends, if it does. */
interface Ends {
  readonly active: readonly Live<Pod>[];
  readonly verdict: Verdict | undefined;
}

function completed({ job, tally }: Case, { discard }: PodChanges): Verdict | undefined {
  return completion(job, tally, tally.active.length - discard.length);
}

/** A job has ended when its pods are gone and all of them are counted. */
function isFinal({ tally }: Case, { active, verdict }: Ends, tracking: Tracking): boolean {
  const { uncounted, release } = tracking;
  const open = active.length + tally.terminating + release.length;
  return verdict !== undefined && open + uncounted.succeeded.length + uncounted.failed.length === 0;
}

interface Progress {
  readonly tracking: Tracking;
  readonly final: boolean;
}

function planStatus({ job, tally, now }: Case, ends: Ends, { tracking, final }: Progress): JobStatus {
  const { status, spec } = job;
  const conditions = planConditions(job, ends.verdict, { final, now });
  const complete = final && ends.verdict?.type === 'Complete';
  const startTime = spec.suspend ? undefined : (status?.startTime ?? timestamp(now));
  return {
    ready: tally.ready - ends.active.filter(isPodReady).length,
    terminating: tally.terminating + ends.active.length,
    uncountedTerminatedPods: omitZero(tracking.uncounted),
    ...indexStatus(job, tally),
    ...omitZero({
      active: tally.active.length - ends.active.length,
      succeeded: isIndexed(job) ? tally.completedIndexes.size : tally.counted.succeeded,
      failed: tally.counted.failed,
      startTime,
      completionTime: complete ? timestamp(now) : undefined,
      conditions,
    }),
  };
}

function indexStatus(job: Job, { completedIndexes, failedIndexes }: Tally): JobStatus {
  if (!isIndexed(job)) return {};
  return {
    ...omitZero({ completedIndexes: completedIndexes.toString() }),
    ...(failedIndexes && { failedIndexes: failedIndexes.toString() }),
  };
}

function planConditions(
  job: Job,
  verdict: Verdict | undefined,
  { final, now }: { readonly final: boolean; readonly now: number },
): readonly JobCondition[] {
  const times = { lastProbeTime: timestamp(now), lastTransitionTime: timestamp(now) };
  const conditions = job.status?.conditions ?? [];
  if (verdict) {
    const { type, reason, message } = verdict;
    const interim = type === 'Failed' ? 'FailureTarget' : 'SuccessCriteriaMet';
    const decided = withCondition(conditions, { type: interim, status: 'True', reason, message, ...times });
    return final ? withCondition(decided, { type, status: 'True', reason, message, ...times }) : decided;
  }
  const change = suspension(job);
  if (!change) return conditions;
  const { status, reason, message } = change;
  return withCondition(conditions, { type: 'Suspended', status, reason, message, ...times });
}

/** Whether a job has just been suspended or resumed. */
function suspension(job: Job): { status: 'True' | 'False'; reason: string; message: string } | undefined {
  if (job.metadata.deletionTimestamp !== undefined || (job.spec.suspend ?? false) === isSuspended(job))
    return undefined;
  return job.spec.suspend
    ? { status: 'True', reason: 'JobSuspended', message: 'Job suspended' }
    : { status: 'False', reason: 'JobResumed', message: 'Job resumed' };
}

function suspendEvents(job: Job, verdict: Verdict | undefined): readonly JobEvent[] {
  const change = verdict ? undefined : suspension(job);
  if (!change) return [];
  const reason = change.status === 'True' ? 'Suspended' : 'Resumed';
  return [{ type: 'Normal', reason, message: change.message }];
}

function finishEvents({ job, tally }: Case, verdict: Verdict | undefined): readonly JobEvent[] {
  if (!verdict) return [];
  if (verdict.type === 'Failed') {
    return [{ type: 'Warning', reason: verdict.reason, message: verdict.message }];
  }
  const { completions } = job.spec;
  const done: JobEvent = { type: 'Normal', reason: 'Completed', message: 'Job completed' };
  if (completions === undefined || tally.succeeded <= completions) return [done];
  const message = 'Too many succeeded pods running after completion count reached';
  return [{ type: 'Warning', reason: 'TooManySucceededPods', message }, done];
}

function earliest(...waits: readonly (number | undefined)[]): number | undefined {
  const known = waits.filter((ms) => ms !== undefined).filter((ms) => ms > 0);
  return known.length > 0 ? Math.min(...known) : undefined;
}
