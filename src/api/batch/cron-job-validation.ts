import { type FieldError, invalid, notSupported, required } from '../../machinery/field-error.ts';
import { nonNegative } from '../core/pod-spec/invalid-each.ts';
import { cronScheduleError } from './cron-schedule.ts';
import { validateJobTemplate } from './job-validation.ts';
import { isTimeZone } from './time-zones.ts';
import type { CronJob, CronJobSpec } from './v1.gen.ts';

/** Jobs are named after their cron job, with eleven characters more. */
const longestName = 63 - 11;

function validateSchedule({ schedule, timeZone }: CronJobSpec, old: CronJobSpec | undefined): FieldError[] {
  const field = 'spec.schedule';
  if (!schedule) return [required(field)];
  const problem = cronScheduleError(schedule);
  const errors = problem === undefined ? [] : [invalid(field, schedule, problem)];
  if (!schedule.includes('TZ')) return errors;
  if (!old?.schedule.includes('TZ')) {
    const detail = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';
    return [...errors, invalid(field, schedule, detail)];
  }
  if (timeZone === undefined) return errors;
  const detail = 'cannot use both timeZone field and TZ or CRON_TZ in schedule';
  return [...errors, invalid(field, schedule, detail)];
}

function isNamePart(part: string): boolean {
  return !['.', '..'].includes(part) && !part.startsWith('-') && /^[A-Za-z.\-_0-9+]{1,14}$/.test(part);
}

function validateTimeZone({ timeZone }: CronJobSpec): FieldError[] {
  const field = 'spec.timeZone';
  if (timeZone === undefined) return [];
  if (timeZone === '') return [invalid(field, timeZone, 'timeZone must be nil or non-empty string')];
  const unknown = invalid(field, timeZone, `unknown time zone ${timeZone}`);
  if (!timeZone.split('/').every(isNamePart)) return [unknown];
  const errors: FieldError[] = [];
  if (timeZone.toLowerCase() === 'local') {
    const detail = 'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones';
    errors.push(invalid(field, timeZone, detail));
  }
  return timeZone === 'Local' || isTimeZone(timeZone) ? errors : [...errors, unknown];
}

const policies = ['Allow', 'Forbid', 'Replace'];

function validateConcurrency({ concurrencyPolicy }: CronJobSpec): FieldError[] {
  const field = 'spec.concurrencyPolicy';
  if (!concurrencyPolicy) return [required(field)];
  return policies.includes(concurrencyPolicy) ? [] : [notSupported(field, concurrencyPolicy, policies)];
}

function validateSpec(spec: CronJobSpec, old?: CronJobSpec): FieldError[] {
  return [
    ...validateSchedule(spec, old),
    ...nonNegative('spec.startingDeadlineSeconds', spec.startingDeadlineSeconds ?? 0),
    ...(old && old.timeZone === spec.timeZone ? [] : validateTimeZone(spec)),
    ...validateConcurrency(spec),
    ...validateJobTemplate(spec.jobTemplate, 'spec.jobTemplate'),
    ...nonNegative('spec.successfulJobsHistoryLimit', spec.successfulJobsHistoryLimit ?? 0),
    ...nonNegative('spec.failedJobsHistoryLimit', spec.failedJobsHistoryLimit ?? 0),
  ];
}

/** Everything wrong with a cron job to create, in upstream's order. */
export function validateCronJob({ metadata, spec }: CronJob): FieldError[] {
  const errors = validateSpec(spec);
  const { name = '' } = metadata;
  if (name.length <= longestName) return errors;
  return [...errors, invalid('metadata.name', name, `must be no more than ${longestName} characters`)];
}

/** Everything wrong with an update of a cron job; an unchanged time zone may be one that is no longer known. */
export function validateCronJobUpdate(next: CronJob, old: CronJob): FieldError[] {
  return validateSpec(next.spec, old.spec);
}
