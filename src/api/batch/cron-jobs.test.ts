import { describe, expect, it } from 'vitest';
import type { DeepMutable } from '../../machinery/object.ts';
import { cronJobs } from './cron-jobs.ts';
import type { CronJob, CronJobSpec } from './v1.gen.ts';

function cronJob(change: Partial<CronJobSpec> = {}, name: string = 'tick'): DeepMutable<CronJob> {
  const made = {
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata: { name, namespace: 'default' },
    spec: {
      schedule: '0 0 * * *',
      jobTemplate: {
        spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } } },
      },
      ...change,
    },
  } as DeepMutable<CronJob>;
  cronJobs.versions['v1']?.defaults?.(made);
  return made;
}

function problems(object: CronJob, old?: CronJob): string[] {
  const errors = old ? cronJobs.validateUpdate?.(object, { ...old } as never) : cronJobs.validate?.(object);
  return (errors ?? []).map(({ field, message }) => `${field}: ${message}`);
}

describe('a cron job', () => {
  it('has defaults, but not those of its jobs', () => {
    const { spec } = cronJob();
    expect(spec).toMatchObject({
      concurrencyPolicy: 'Allow',
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
    });
    expect(Object.keys(spec.jobTemplate.spec)).toEqual(['template']);
  });

  it.each<[string, Partial<CronJobSpec>, string[]]>([
    ['is right', { timeZone: 'US/Eastern' }, []],
    [
      'has an empty time zone',
      { timeZone: '' },
      ['spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string'],
    ],
    [
      'has a time zone in other letters',
      { timeZone: 'europe/vienna' },
      ['spec.timeZone: Invalid value: "europe/vienna": unknown time zone europe/vienna'],
    ],
    [
      'is at home everywhere',
      { timeZone: 'Local' },
      [
        'spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
      ],
    ],
    [
      'names its zone in the schedule',
      { schedule: 'TZ=UTC 0 0 * * *' },
      [
        'spec.schedule: Invalid value: "TZ=UTC 0 0 * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
      ],
    ],
    [
      'counts below zero',
      { startingDeadlineSeconds: -1, failedJobsHistoryLimit: -2 },
      [
        'spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0',
        'spec.failedJobsHistoryLimit: Invalid value: -2: must be greater than or equal to 0',
      ],
    ],
  ])('that %s', (_name, change, expected) => {
    expect(problems(cronJob(change))).toEqual(expected);
  });

  it('must leave room for the names of its jobs when it is created', () => {
    const long = cronJob({}, 'a'.repeat(53));
    expect(problems(long)).toEqual([
      `metadata.name: Invalid value: "${'a'.repeat(53)}": must be no more than 52 characters`,
    ]);
    expect(problems(long, long)).toEqual([]);
  });

  it('keeps a zone in its schedule that it had before', () => {
    const old = cronJob({ schedule: 'TZ=UTC 0 0 * * *' });
    expect(problems(cronJob({ schedule: 'TZ=UTC 1 0 * * *' }), old)).toEqual([]);
    expect(problems(cronJob({ schedule: 'TZ=UTC 1 0 * * *', timeZone: 'UTC' }), old)).toEqual([
      'spec.schedule: Invalid value: "TZ=UTC 1 0 * * *": cannot use both timeZone field and TZ or CRON_TZ in schedule',
    ]);
  });
});
