import { describe, expect, it } from 'vitest';
import type { CronJob, CronJobSpec, CronJobStatus, Job, JobStatus } from '../../api/batch/v1.gen.ts';
import type { ObjectReference } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { msUntilDue, planCronJob, withStarted, type CronJobPlan } from './plan.ts';

const at = (time: string): number => Date.parse(`2026-03-02T${time}Z`);

function cronJob(spec: Partial<CronJobSpec>, status: CronJobStatus = {}): Live<CronJob> {
  return {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: {
      name: 'report',
      namespace: 'default',
      uid: 'u',
      resourceVersion: '1',
      creationTimestamp: '2026-03-02T09:30:00Z',
    },
    spec: {
      schedule: '0 * * * *',
      concurrencyPolicy: 'Allow',
      jobTemplate: {
        metadata: { labels: { app: 'report' }, annotations: { note: 'x' } },
        spec: { template: { spec: { containers: [] } } },
      },
      ...spec,
    },
    status,
  };
}

function job(name: string, status: JobStatus = {}): Live<Job> {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      namespace: 'default',
      uid: `uid of ${name}`,
      resourceVersion: '7',
      creationTimestamp: '2026-03-02T09:00:00Z',
    },
    spec: { template: { spec: { containers: [] } } },
    status,
  };
}

const reference = (name: string): ObjectReference => ({
  kind: 'Job',
  namespace: 'default',
  name,
  uid: `uid of ${name}`,
  apiVersion: 'batch/v1',
  resourceVersion: '7',
});

const ended = (type: 'Complete' | 'Failed', startTime: string, completionTime?: string): JobStatus => ({
  conditions: [{ type, status: 'True' }],
  startTime: `2026-03-02T${startTime}Z`,
  ...(completionTime && { completionTime: `2026-03-02T${completionTime}Z` }),
});

interface Scene {
  readonly spec?: Partial<CronJobSpec>;
  readonly status?: CronJobStatus;
  readonly jobs?: readonly Live<Job>[];
  readonly present?: readonly string[];
  readonly now: string;
  readonly deleting?: true;
}

function plan({ spec = {}, status, jobs = [], present = [], now, deleting }: Scene): CronJobPlan {
  const object = cronJob(spec, status);
  const metadata = { ...object.metadata, ...(deleting && { deletionTimestamp: '2026-03-02T09:31:00Z' }) };
  return planCronJob({ cronJob: { ...object, metadata }, jobs, present: new Set(present), now: at(now) });
}

function summary(scene: Scene): object {
  const { start, replace, forget, events, recheckMs } = plan(scene);
  return {
    ...(start && { start: new Date(start.at).toISOString().slice(11, 16) }),
    ...(replace.length > 0 && { replace: replace.map(({ name }) => name) }),
    ...(forget.length > 0 && { forget: forget.map(({ metadata }) => metadata.name) }),
    ...(events.length > 0 && { events: events.map(({ reason }) => reason) }),
    ...(recheckMs !== undefined && { recheckMs }),
  };
}

const hour = 3_600_000;

describe('starting jobs', () => {
  it.each<[string, Scene, object]>([
    ['nothing before the first time', { now: '09:59:59' }, { recheckMs: 1100 }],
    ['a job at its time', { now: '10:00:00' }, { start: '10:00', recheckMs: hour + 100 }],
    [
      'of several missed times only the latest',
      { now: '12:20:00' },
      { start: '12:00', recheckMs: 40 * 60_000 + 100 },
    ],
    [
      'a time is served once',
      { status: { lastScheduleTime: '2026-03-02T10:00:00Z' }, now: '10:00:05' },
      { recheckMs: hour - 5000 + 100 },
    ],
    [
      'a job whose name is taken by an active one is not started',
      {
        status: { active: [reference('report-29540760')] },
        present: ['report-29540760'],
        now: '10:00:05',
      },
      { recheckMs: hour - 5000 + 100 },
    ],
    [
      'more than a hundred missed times are complained about',
      { spec: { schedule: '* * * * *' }, now: '11:11:30' },
      { start: '11:11', events: ['TooManyMissedTimes'], recheckMs: 30_100 },
    ],
    [
      'a hundred missed times are not',
      { spec: { schedule: '* * * * *' }, now: '11:10:30' },
      { start: '11:10', recheckMs: 30_100 },
    ],
    [
      'times older than the deadline are not counted',
      { spec: { schedule: '* * * * *', startingDeadlineSeconds: 600 }, now: '23:11:30' },
      { start: '23:11', recheckMs: 30_100 },
    ],
    [
      'within the deadline',
      { spec: { startingDeadlineSeconds: 60 }, now: '10:00:59' },
      { start: '10:00', recheckMs: hour - 59_000 + 100 },
    ],
    [
      'after the deadline',
      { spec: { startingDeadlineSeconds: 60 }, now: '10:01:01' },
      { recheckMs: 59 * 60_000 - 1000 + 100 },
    ],
    ['suspended', { spec: { suspend: true }, now: '10:00:00' }, {}],
    ['being deleted', { deleting: true, now: '10:00:00' }, {}],
    [
      'an unknown zone',
      { spec: { timeZone: 'Mars/Base' }, now: '10:00:00' },
      { events: ['UnknownTimeZone'] },
    ],
    ['no schedule', { spec: { schedule: 'soon' }, now: '10:00:00' }, { events: ['UnparseableSchedule'] }],
    [
      'a day that never comes',
      { spec: { schedule: '0 0 30 2 *' }, now: '10:00:00' },
      { events: ['InvalidSchedule'] },
    ],
    [
      'a zone within the schedule works, with a warning',
      { spec: { schedule: 'TZ=Asia/Kolkata 0 16 * * *' }, now: '10:31:00' },
      { start: '10:30', events: ['UnsupportedSchedule'], recheckMs: 24 * hour - 60_000 + 100 },
    ],
    [
      'a zone',
      { spec: { schedule: '0 16 * * *', timeZone: 'Asia/Kolkata' }, now: '10:31:00' },
      { start: '10:30', recheckMs: 24 * hour - 60_000 + 100 },
    ],
    [
      'Forbid waits for the running job',
      {
        spec: { concurrencyPolicy: 'Forbid' },
        status: { active: [reference('old')] },
        present: ['old'],
        now: '10:00:00',
      },
      { events: ['JobAlreadyActive'], recheckMs: hour + 100 },
    ],
    [
      'Forbid starts when the running job has just finished',
      {
        spec: { concurrencyPolicy: 'Forbid' },
        status: { active: [reference('old')] },
        jobs: [job('old', ended('Failed', '09:00:00'))],
        now: '10:00:00',
      },
      { start: '10:00', events: ['SawCompletedJob'], recheckMs: hour + 100 },
    ],
    [
      'Replace stops the running jobs',
      {
        spec: { concurrencyPolicy: 'Replace' },
        status: { active: [reference('old')] },
        jobs: [job('old')],
        now: '10:00:00',
      },
      { start: '10:00', replace: ['old'], recheckMs: hour + 100 },
    ],
    [
      'Allow leaves them',
      { status: { active: [reference('old')] }, jobs: [job('old')], now: '10:00:00' },
      { start: '10:00', recheckMs: hour + 100 },
    ],
    [
      'every so often, counted from creation',
      { spec: { schedule: '@every 45m' }, now: '11:00:10' },
      { start: '11:00', recheckMs: 45 * 60_000 - 10_000 + 100 },
    ],
  ])('%s', (_, scene, expected) => {
    expect(summary(scene)).toEqual(expected);
  });

  it('a job has its template’s metadata, the minute in its name and the time in its zone', () => {
    const { start } = plan({ spec: { schedule: '0 16 * * *', timeZone: 'Asia/Kolkata' }, now: '10:31:00' });
    expect(start?.job.metadata).toEqual({
      name: `report-${at('10:30:00') / 60_000}`,
      namespace: 'default',
      labels: { app: 'report' },
      annotations: {
        note: 'x',
        'batch.kubernetes.io/cronjob-scheduled-timestamp': '2026-03-02T16:00:00+05:30',
      },
      ownerReferences: [
        {
          apiVersion: 'batch/v1',
          kind: 'CronJob',
          name: 'report',
          uid: 'u',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    });
  });

  it('west of Greenwich the offset is negative, and UTC is Z', () => {
    const stamp = (timeZone: string): unknown =>
      plan({ spec: { timeZone }, now: '10:00:00' }).start?.job.metadata.annotations?.[
        'batch.kubernetes.io/cronjob-scheduled-timestamp'
      ];
    expect([stamp('America/New_York'), stamp('Etc/UTC')]).toEqual([
      '2026-03-02T05:00:00-05:00',
      '2026-03-02T10:00:00Z',
    ]);
  });
});

describe('what became of jobs', () => {
  const idle = { lastScheduleTime: '2026-03-02T10:00:00Z' };
  it.each<[string, Scene, { status: CronJobStatus; events: string[] }]>([
    [
      'a running job stays active',
      { status: { ...idle, active: [reference('a')] }, jobs: [job('a')], now: '10:10:00' },
      { status: { ...idle, active: [reference('a')] }, events: [] },
    ],
    [
      'a completed job leaves, and its time is noted',
      {
        status: { ...idle, active: [reference('a')] },
        jobs: [job('a', ended('Complete', '10:00:00', '10:05:00'))],
        now: '10:10:00',
      },
      {
        status: { ...idle, lastSuccessfulTime: '2026-03-02T10:05:00Z' },
        events: ['Saw completed job: a, condition: Complete'],
      },
    ],
    [
      'a failed job leaves',
      {
        status: { ...idle, active: [reference('a')] },
        jobs: [job('a', ended('Failed', '10:00:00'))],
        now: '10:10:00',
      },
      { status: idle, events: ['Saw completed job: a, condition: Failed'] },
    ],
    [
      'an older success does not set the time back',
      {
        status: { ...idle, lastSuccessfulTime: '2026-03-02T10:05:00Z' },
        jobs: [job('a', ended('Complete', '09:00:00', '09:05:00'))],
        now: '10:10:00',
      },
      { status: { ...idle, lastSuccessfulTime: '2026-03-02T10:05:00Z' }, events: [] },
    ],
    [
      'a job that is gone leaves',
      { status: { ...idle, active: [reference('a')] }, now: '10:10:00' },
      { status: idle, events: ['Active job went missing: a'] },
    ],
    [
      'a job that was orphaned is still active',
      { status: { ...idle, active: [reference('a')] }, present: ['a'], now: '10:10:00' },
      { status: { ...idle, active: [reference('a')] }, events: [] },
    ],
    [
      'a job that somebody else made',
      { status: idle, jobs: [job('manual')], now: '10:10:00' },
      { status: idle, events: ['Saw a job that the controller did not create or forgot: manual'] },
    ],
    [
      'a cron job being deleted still reports',
      { status: { ...idle, active: [reference('a')] }, now: '10:10:00', deleting: true },
      { status: idle, events: ['Active job went missing: a'] },
    ],
  ])('%s', (_, scene, expected) => {
    const { status, events } = plan(scene);
    expect({ status, events: events.map(({ message }) => message) }).toEqual(expected);
  });

  it('a started job is active and its time is noted', () => {
    expect(withStarted({ active: [reference('a')] }, job('b'), at('10:00:00'))).toEqual({
      active: [reference('a'), reference('b')],
      lastScheduleTime: '2026-03-02T10:00:00Z',
    });
  });
});

describe('history', () => {
  const idle = { lastScheduleTime: '2026-03-02T10:00:00Z' };
  const jobs = [
    job('c3', ended('Complete', '09:03:00')),
    job('c1', ended('Complete', '09:01:00')),
    job('c2', ended('Complete', '09:02:00')),
    job('c0', ended('Complete', '09:02:00')),
    job('f2', ended('Failed', '09:02:00')),
    job('f1', ended('Failed', '09:01:00')),
    job('f0', { conditions: [{ type: 'Failed', status: 'True' }] }),
    job('running', {
      startTime: '2026-03-02T01:00:00Z',
      conditions: [{ type: 'Suspended', status: 'False' }],
    }),
  ];
  it.each<[string, Partial<CronJobSpec>, string[]]>([
    ['unlimited', {}, []],
    [
      'the oldest go first, by name when they started together',
      { successfulJobsHistoryLimit: 2 },
      ['c1', 'c0'],
    ],
    ['those that never started go last', { failedJobsHistoryLimit: 1 }, ['f1', 'f2']],
    [
      'none is kept',
      { successfulJobsHistoryLimit: 0, failedJobsHistoryLimit: 0 },
      ['c1', 'c0', 'c2', 'c3', 'f1', 'f2', 'f0'],
    ],
    ['few are kept', { successfulJobsHistoryLimit: 9, failedJobsHistoryLimit: 9 }, []],
  ])('%s', (_, spec, forgotten) => {
    const { forget } = plan({ spec, status: idle, jobs, now: '10:10:00' });
    expect(forget.map(({ metadata }) => metadata.name)).toEqual(forgotten);
  });
});

describe('a changed schedule', () => {
  it.each<[string, Partial<CronJobSpec>, number | undefined]>([
    ['is due at its next time, not at one that has passed', { schedule: '*/30 * * * *' }, 20 * 60_000 + 100],
    ['may be of no use', { schedule: '0 0 31 2 *' }, undefined],
    ['may be none', { schedule: 'x' }, undefined],
  ])('%s', (_, spec, expected) => {
    expect(msUntilDue(cronJob(spec), at('10:10:00'))).toBe(expected);
  });
});
