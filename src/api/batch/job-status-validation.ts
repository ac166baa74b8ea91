import { type FieldError, invalid, required } from '../../machinery/field-error.ts';
import { nonNegative } from '../core/pod-spec/invalid-each.ts';
import { firstOverlap, type IndexRange, parseIndexRanges } from './index-ranges.ts';
import { invalidWithoutValue } from './job-policies.ts';
import type { Job, JobStatus } from './v1.gen.ts';

function holds(status: JobStatus | undefined, type: string): boolean {
  return (status?.conditions ?? []).some((one) => one.type === type && one.status === 'True');
}

function validateFinished(status: JobStatus): FieldError[] {
  const complete = holds(status, 'Complete');
  const failed = holds(status, 'Failed');
  const refuse = (detail: string): FieldError => invalidWithoutValue('status.conditions', detail);
  const errors: FieldError[] = [];
  if (complete && failed) errors.push(refuse('cannot set Complete=True and Failed=true conditions'));
  if (complete && holds(status, 'FailureTarget')) {
    errors.push(refuse('cannot set Complete=True and FailureTarget=true conditions'));
  }
  if (failed && holds(status, 'SuccessCriteriaMet')) {
    errors.push(refuse('cannot set Failed=True and SuccessCriteriaMet=true conditions'));
  }
  if (complete && !holds(status, 'SuccessCriteriaMet')) {
    errors.push(refuse('cannot set Complete=True condition without the SuccessCriteriaMet=true condition'));
  }
  if (failed && !holds(status, 'FailureTarget')) {
    errors.push(refuse('cannot set Failed=True condition without the FailureTarget=true condition'));
  }
  if ((complete || failed) && !status.startTime) {
    errors.push(required('status.startTime', 'startTime is required for finished job'));
  }
  if ((complete || failed) && (status.active ?? 0) > 0) {
    errors.push(invalid('status.active', status.active, 'active>0 is invalid for finished job'));
  }
  if (complete && !status.completionTime) {
    errors.push(required('status.completionTime', 'completionTime is required for Complete jobs'));
  }
  if (!complete && status.completionTime) {
    const detail = 'cannot set completionTime when there is no Complete=True condition';
    errors.push(invalid('status.completionTime', status.completionTime, detail));
  }
  return errors;
}

function validateIndexes(next: Job): FieldError[] {
  const { spec, status } = next;
  const errors: FieldError[] = [];
  const parsed: IndexRange[][] = [];
  for (const name of ['failedIndexes', 'completedIndexes'] as const) {
    const text = status?.[name];
    if (text === undefined) continue;
    try {
      parsed.push(parseIndexRanges(text, spec.completions ?? 0));
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      errors.push(invalid(`status.${name}`, text, `error parsing ${name}: ${error.message}`));
    }
  }
  const [failed, completed] = parsed;
  const overlap = failed && completed && firstOverlap(failed, completed);
  if (overlap !== undefined) {
    const detail = `failedIndexes and completedIndexes overlap at index: ${overlap}`;
    errors.push(invalid('status.failedIndexes', status?.failedIndexes, detail));
  }
  return errors;
}

/** Everything wrong with an update of a job's status. */
export function validateJobStatus(next: Job, old: Job): FieldError[] {
  const status: JobStatus = next.status ?? {};
  const errors = (['active', 'succeeded', 'failed', 'ready', 'terminating'] as const).flatMap((name) =>
    nonNegative(`status.${name}`, status[name] ?? 0),
  );
  const { active = 0, ready = 0 } = status;
  if (ready > active) errors.push(invalid('status.ready', ready, 'cannot set more ready pods than active'));
  errors.push(...validateFinished(status), ...validateIndexes(next));
  for (const name of ['failed', 'succeeded'] as const) {
    const value = status[name] ?? 0;
    if (value < (old.status?.[name] ?? 0) || value < 0) {
      errors.push(invalid(`status.${name}`, value, `cannot decrease the ${name} counter`));
    }
  }
  for (const type of ['Failed', 'Complete', 'FailureTarget', 'SuccessCriteriaMet']) {
    if (!holds(old.status, type) || holds(status, type)) continue;
    errors.push(
      invalidWithoutValue('status.conditions', `cannot disable the terminal ${type}=True condition`),
    );
  }
  return errors;
}
