import { parseCronSchedule, ScheduleError, type CronSchedule } from '../../api/batch/cron-schedule.ts';
import { isTimeZone } from '../../api/batch/time-zones.ts';
import type { CronJob, CronJobStatus, Job } from '../../api/batch/v1.gen.ts';
import type { ObjectReference } from '../../api/core/v1.gen.ts';
import { timestamp } from '../../base/clock.ts';
import { goQuote } from '../../machinery/go-quote.ts';
import type { KubeObject, Live } from '../../machinery/object.ts';
import { omitZero } from '../../reconcile/omit-zero.ts';
import { controllerReference } from '../../reconcile/owner.ts';
import { finishedCondition } from '../job/job-state.ts';
import { dueTimes, ScheduleWithoutTimes } from './due-time.ts';
import { wallClock, type WallClock } from './wall-clock.ts';

export interface CronJobObservation {
  readonly cronJob: Live<CronJob>;
  /** The jobs that it controls. */
  readonly jobs: readonly Live<Job>[];
  /** Names of all jobs of the namespace, whosoever, of which `status.active` speaks. */
  readonly present: ReadonlySet<string>;
  readonly now: number;
}

export interface CronEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export interface CronJobPlan {
  /** To be written after the rest, together with what was started. */
  readonly status: CronJobStatus;
  readonly events: readonly CronEvent[];
  /** Running jobs that make way, before anything starts. */
  readonly replace: readonly ObjectReference[];
  /** Finished jobs beyond the limits of history. */
  readonly forget: readonly Live<Job>[];
  /** The job that is due, with the time that it is due for. */
  readonly start: { readonly job: KubeObject & Job; readonly at: number } | undefined;
  /** Milliseconds until the next time of the schedule. */
  readonly recheckMs: number | undefined;
}

type Timing = Pick<CronJobPlan, 'replace' | 'start' | 'recheckMs'>;
type Note = (type: CronEvent['type'], reason: string, message: string) => void;

/** What a cron job needs next. */
export function planCronJob(observation: CronJobObservation): CronJobPlan {
  const { cronJob, jobs } = observation;
  const events: CronEvent[] = [];
  const note: Note = (type, reason, message) => events.push({ type, reason, message });
  const status = observedStatus(observation, note);
  const timing = planStart({ ...observation, active: status.active ?? [], note });
  const gone = new Set(timing.replace.map(({ uid }) => uid));
  return {
    status: withActive(
      status,
      (status.active ?? []).filter(({ uid }) => !gone.has(uid)),
    ),
    events,
    forget: [...surplus(jobs, 'Complete', cronJob), ...surplus(jobs, 'Failed', cronJob)],
    ...timing,
  };
}

/** The status with a job that was started for a time of the schedule. */
export function withStarted(status: CronJobStatus, job: Live<Job>, at: number): CronJobStatus {
  const { name, namespace = '', uid, resourceVersion } = job.metadata;
  const { apiVersion, kind } = job;
  const active = [...(status.active ?? []), { kind, namespace, name, uid, apiVersion, resourceVersion }];
  return { ...withActive(status, active), lastScheduleTime: timestamp(at) };
}

/** Milliseconds until a cron job that has just been changed is due; undefined when it never is. */
export function msUntilDue(cronJob: Live<CronJob>, now: number): number | undefined {
  const schedule = readSchedule(cronJob, () => {});
  if (!schedule) return undefined;
  try {
    const { next } = dueTimes(cronJob, schedule, { now, clock: clockOf(cronJob, schedule) });
    return next === undefined ? undefined : next - now;
  } catch (error) {
    if (error instanceof ScheduleWithoutTimes) return undefined;
    throw error;
  }
}

function withActive(status: CronJobStatus, active: readonly ObjectReference[]): CronJobStatus {
  return omitZero({ ...status, active });
}

/** The status as the jobs have it: finished and missing ones are no longer active. */
function observedStatus({ cronJob, jobs, present }: CronJobObservation, note: Note): CronJobStatus {
  let { lastSuccessfulTime } = cronJob.status ?? {};
  let active = cronJob.status?.active ?? [];
  for (const job of jobs) {
    const { uid, name } = job.metadata;
    const known = active.some((one) => one.uid === uid);
    const finished = finishedCondition(job);
    if (!finished) {
      const message = `Saw a job that the controller did not create or forgot: ${name}`;
      if (!known) note('Warning', 'UnexpectedJob', message);
      continue;
    }
    if (known) {
      active = active.filter((one) => one.uid !== uid);
      note('Normal', 'SawCompletedJob', `Saw completed job: ${name}, condition: ${finished.type}`);
    }
    const { completionTime } = job.status ?? {};
    if (finished.type === 'Complete' && completionTime !== undefined) {
      if (lastSuccessfulTime === undefined || Date.parse(completionTime) > Date.parse(lastSuccessfulTime))
        lastSuccessfulTime = completionTime;
    }
  }
  const owned = new Set(jobs.map(({ metadata }) => metadata.uid));
  for (const { uid, name = '' } of active) {
    if (owned.has(uid ?? '') || present.has(name)) continue;
    active = active.filter((one) => one.uid !== uid);
    note('Normal', 'MissingJob', `Active job went missing: ${name}`);
  }
  const status = withActive(cronJob.status ?? {}, active);
  return { ...status, ...(lastSuccessfulTime !== undefined && { lastSuccessfulTime }) };
}

interface StartObservation extends CronJobObservation {
  readonly active: readonly ObjectReference[];
  readonly note: Note;
}

const nothing: Timing = { replace: [], start: undefined, recheckMs: undefined };

function planStart(observation: StartObservation): Timing {
  const { cronJob, now, note } = observation;
  if (cronJob.metadata.deletionTimestamp !== undefined) return nothing;
  const { timeZone, suspend, schedule: text } = cronJob.spec;
  if (timeZone !== undefined && !isTimeZone(timeZone)) {
    const message = `invalid timeZone: ${goQuote(timeZone)}: unknown time zone ${timeZone}`;
    note('Warning', 'UnknownTimeZone', message);
    return nothing;
  }
  if (suspend) return nothing;
  const schedule = readSchedule(cronJob, note);
  if (!schedule) return nothing;
  try {
    const clock = clockOf(cronJob, schedule);
    const { due, missedMany, next } = dueTimes(cronJob, schedule, { now, clock });
    if (missedMany) {
      const message =
        'too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew';
      note('Warning', 'TooManyMissedTimes', message);
    }
    const recheckMs = next === undefined ? undefined : next - now;
    return { ...nothing, recheckMs, ...(due !== undefined && startAt(due, observation)) };
  } catch (error) {
    if (!(error instanceof ScheduleWithoutTimes)) throw error;
    note('Warning', 'InvalidSchedule', `invalid schedule: ${text} : ${error.message}`);
    return nothing;
  }
}

function startAt(at: number, { cronJob, active, now, note }: StartObservation): Partial<Timing> {
  const { startingDeadlineSeconds: deadline, concurrencyPolicy } = cronJob.spec;
  if (deadline !== undefined && at + deadline * 1000 < now) {
    const time = new Date(at).toUTCString().replace('GMT', '+0000');
    note('Warning', 'MissSchedule', `Missed scheduled time to start a job: ${time}`);
    return {};
  }
  const job = jobAt(cronJob, at);
  const served = Date.parse(cronJob.status?.lastScheduleTime ?? '');
  if (served === at || active.some(({ name }) => name === job.metadata.name)) return {};
  if (concurrencyPolicy === 'Forbid' && active.length > 0) {
    const message = 'Not starting job because prior execution is running and concurrency policy is Forbid';
    note('Normal', 'JobAlreadyActive', message);
    return {};
  }
  return { start: { job, at }, ...(concurrencyPolicy === 'Replace' && { replace: active }) };
}

function readSchedule({ spec }: CronJob, note: Note): CronSchedule | undefined {
  if (spec.schedule.includes('TZ')) {
    const message = `CRON_TZ or TZ used in schedule ${goQuote(spec.schedule)} is not officially supported, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details`;
    note('Warning', 'UnsupportedSchedule', message);
  }
  try {
    return parseCronSchedule(spec.schedule);
  } catch (error) {
    if (!(error instanceof ScheduleError)) throw error;
    note(
      'Warning',
      'UnparseableSchedule',
      `unparseable schedule: ${goQuote(spec.schedule)} : ${error.message}`,
    );
    return undefined;
  }
}

function clockOf({ spec }: CronJob, schedule: CronSchedule): WallClock {
  const inSchedule = schedule.type === 'fields' ? schedule.timeZone : undefined;
  return wallClock(inSchedule ?? spec.timeZone ?? 'UTC');
}

const scheduledAnnotation = 'batch.kubernetes.io/cronjob-scheduled-timestamp';

/** The job for a time of the schedule. Its name has the minute in it, so that none can be started twice. */
function jobAt(cronJob: Live<CronJob>, at: number): KubeObject & Job {
  const { name, namespace = '' } = cronJob.metadata;
  const { metadata, spec } = cronJob.spec.jobTemplate;
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      namespace,
      name: `${name}-${Math.floor(at / 60_000)}`,
      ...(metadata?.labels && { labels: metadata.labels }),
      annotations: { ...metadata?.annotations, [scheduledAnnotation]: zonedTime(at, cronJob.spec.timeZone) },
      ownerReferences: [controllerReference(cronJob)],
    },
    spec,
  };
}

/** RFC 3339 with the offset of a time zone. */
function zonedTime(at: number, timeZone = 'UTC'): string {
  const minutes = Math.round(wallClock(timeZone).offsetAt(at) / 60_000);
  if (minutes === 0) return timestamp(at);
  const size = Math.abs(minutes);
  const pad = (value: number): string => String(value).padStart(2, '0');
  const offset = `${minutes < 0 ? '-' : '+'}${pad(Math.floor(size / 60))}:${pad(size % 60)}`;
  return timestamp(at + minutes * 60_000).replace('Z', offset);
}

/** The oldest of the jobs that ended in that way, as many as are too many. */
function surplus(jobs: readonly Live<Job>[], end: 'Complete' | 'Failed', { spec }: CronJob): Live<Job>[] {
  const limit = end === 'Complete' ? spec.successfulJobsHistoryLimit : spec.failedJobsHistoryLimit;
  if (limit === undefined) return [];
  const ended = jobs.filter(
    (job) => job.metadata.deletionTimestamp === undefined && finishedCondition(job)?.type === end,
  );
  const oldestFirst = ended.toSorted(
    (a, b) => startOf(a) - startOf(b) || (a.metadata.name < b.metadata.name ? -1 : 1),
  );
  return oldestFirst.slice(0, Math.max(0, ended.length - limit));
}

/** Jobs that never started count as the youngest. */
function startOf({ status }: Job): number {
  return status?.startTime === undefined ? Number.MAX_SAFE_INTEGER : Date.parse(status.startTime);
}
