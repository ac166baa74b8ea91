import { type FieldError, duplicate, invalid, required } from '../../machinery/field-error.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { nonNegative } from '../core/pod-spec/invalid-each.ts';
import { firstOverlap, type IndexRange, parseIndexRanges } from './index-ranges.ts';
import { invalidWithoutValue } from './job-policies.ts';
import type { Job, JobStatus } from './v1.gen.ts';

function holds(status: JobStatus, type: string): boolean {
  return (status.conditions ?? []).some((one) => one.type === type && one.status === 'True');
}

function secondOf(time: string | undefined): number | undefined {
  return time === undefined ? undefined : Math.floor(Date.parse(time) / 1000);
}

/** What a job says of itself. */
interface Said {
  readonly status: JobStatus;
  readonly complete: boolean;
  readonly failed: boolean;
  readonly finished: boolean;
  readonly failureTarget: boolean;
  readonly successMet: boolean;
  readonly started: number | undefined;
  readonly completed: number | undefined;
}

function saidBy({ status = {} }: Job): Said {
  const complete = holds(status, 'Complete');
  const failed = holds(status, 'Failed');
  return {
    status,
    complete,
    failed,
    finished: complete || failed,
    failureTarget: holds(status, 'FailureTarget'),
    successMet: holds(status, 'SuccessCriteriaMet'),
    started: secondOf(status.startTime),
    completed: secondOf(status.completionTime),
  };
}

const refused = (detail: string): FieldError => invalidWithoutValue('status.conditions', detail);

function validateCounts(status: JobStatus): FieldError[] {
  const errors = (['active', 'succeeded', 'failed', 'ready', 'terminating'] as const).flatMap((name) =>
    nonNegative(`status.${name}`, status[name] ?? 0),
  );
  const seen = new Set<string>();
  for (const list of ['succeeded', 'failed'] as const) {
    for (const [index, uid] of (status.uncountedTerminatedPods?.[list] ?? []).entries()) {
      const path = `status.uncountedTerminatedPods.${list}[${index}]`;
      if (uid === '') errors.push(invalid(path, uid, 'must not be empty'));
      else if (seen.has(uid)) errors.push(duplicate(path, uid));
      seen.add(uid);
    }
  }
  return errors;
}

/** The rules about conditions and times; those about what has not changed are left out. */
function validateFinished(next: Said, old: Said): FieldError[] {
  const { status } = next;
  const changed = (name: keyof Said): boolean => next[name] !== old[name];
  const errors: FieldError[] = [];
  if (changed('complete') || changed('failed')) {
    if (next.complete && next.failed)
      errors.push(refused('cannot set Complete=True and Failed=true conditions'));
  }
  if (changed('complete') || changed('failureTarget')) {
    if (next.complete && next.failureTarget)
      errors.push(refused('cannot set Complete=True and FailureTarget=true conditions'));
  }
  const path = 'status.completionTime';
  if (changed('complete') || changed('completed')) {
    const early = 'cannot set completionTime when there is no Complete=True condition';
    if (status.completionTime && !next.complete) errors.push(invalid(path, status.completionTime, early));
    if (!status.completionTime && next.complete)
      errors.push(required(path, 'completionTime is required for Complete jobs'));
  }
  if ((changed('started') || changed('completed')) && (next.completed ?? Infinity) < (next.started ?? 0))
    errors.push(invalid(path, status.completionTime, 'completionTime cannot be set before startTime'));
  if ((changed('failed') || changed('failureTarget')) && next.failed && !next.failureTarget)
    errors.push(refused('cannot set Failed=True condition without the FailureTarget=true condition'));
  if ((changed('complete') || changed('successMet')) && next.complete && !next.successMet)
    errors.push(refused('cannot set Complete=True condition without the SuccessCriteriaMet=true condition'));
  return errors;
}

function validatePodsOfFinished(next: Said, old: Said): FieldError[] {
  const { status, finished } = next;
  if (!finished) return [];
  const ends = !old.finished;
  const errors: FieldError[] = [];
  const { active = 0, uncountedTerminatedPods: uncounted } = status;
  if ((ends || active !== (old.status.active ?? 0)) && active > 0)
    errors.push(invalid('status.active', active, 'active>0 is invalid for finished job'));
  if ((ends || next.started !== old.started) && next.started === undefined)
    errors.push(required('status.startTime', 'startTime is required for finished job'));
  if (ends || !jsonEqual(uncounted ?? {}, old.status.uncountedTerminatedPods ?? {})) {
    const { failed, succeeded } = { failed: [], succeeded: [], ...uncounted };
    const detail = 'uncountedTerminatedPods needs to be empty for finished job';
    const printed = { Succeeded: succeeded, Failed: failed };
    if (failed.length + succeeded.length > 0)
      errors.push(invalid('status.uncountedTerminatedPods', printed, detail));
  }
  return errors;
}

function validateIndexes({ spec }: Job, next: JobStatus, old: JobStatus): FieldError[] {
  const completedChanged = (next.completedIndexes ?? '') !== (old.completedIndexes ?? '');
  const failedChanged = next.failedIndexes !== old.failedIndexes;
  const { completions, backoffLimitPerIndex } = spec;
  const errors: FieldError[] = [];
  const parse = (name: 'completedIndexes' | 'failedIndexes', reports: boolean): IndexRange[] => {
    try {
      return parseIndexRanges(next[name] ?? '', completions ?? 0);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      if (reports)
        errors.push(invalid(`status.${name}`, next[name], `error parsing ${name}: ${error.message}`));
      return [];
    }
  };
  const counts = completions !== undefined;
  const completed = counts ? parse('completedIndexes', completedChanged) : [];
  const limited = counts && backoffLimitPerIndex !== undefined;
  const failed = counts ? parse('failedIndexes', failedChanged && limited) : [];
  if (completedChanged && next.completedIndexes && spec.completionMode !== 'Indexed') {
    const detail = 'cannot set non-empty completedIndexes when non-indexed completion mode';
    errors.push(invalid('status.completedIndexes', next.completedIndexes, detail));
  }
  if (failedChanged && backoffLimitPerIndex === undefined && next.failedIndexes !== undefined) {
    const detail = 'cannot set non-null failedIndexes when backoffLimitPerIndex is null';
    errors.push(invalid('status.failedIndexes', next.failedIndexes, detail));
  }
  const overlap = completedChanged || failedChanged ? firstOverlap(failed, completed) : undefined;
  if (overlap !== undefined) {
    const detail = `failedIndexes and completedIndexes overlap at index: ${overlap}`;
    errors.push(invalid('status.failedIndexes', next.failedIndexes, detail));
  }
  return errors;
}

/** What holds of every status, whatever has changed. */
function validateAlways({ spec }: Job, next: Said, old: Said): FieldError[] {
  const { terminating = 0, active = 0, ready = 0 } = next.status;
  const errors: FieldError[] = [];
  const ends = !old.finished || terminating !== (old.status.terminating ?? 0);
  if (next.finished && ends && terminating > 0)
    errors.push(invalid('status.terminating', terminating, 'terminating>0 is invalid for finished job'));
  if (ready > active) errors.push(invalid('status.ready', ready, 'cannot set more ready pods than active'));
  if (next.successMet && next.failed)
    errors.push(refused('cannot set SuccessCriteriaMet=True and Failed=true conditions'));
  if (next.successMet && next.failureTarget)
    errors.push(refused('cannot set SuccessCriteriaMet=True and FailureTarget=true conditions'));
  if (spec.successPolicy && !next.successMet && next.complete) {
    const detail = 'cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True';
    errors.push(refused(detail));
  }
  return errors;
}

/** What must not be taken back. */
function validateProgress({ spec }: Job, next: Said, old: Said): FieldError[] {
  const errors: FieldError[] = [];
  for (const type of ['Failed', 'Complete', 'FailureTarget']) {
    if (holds(old.status, type) && !holds(next.status, type))
      errors.push(refused(`cannot disable the terminal ${type}=True condition`));
  }
  const mayShrink = spec.completionMode === 'Indexed' && spec.completions === spec.parallelism;
  for (const name of mayShrink ? (['failed'] as const) : (['failed', 'succeeded'] as const)) {
    const value = next.status[name] ?? 0;
    if (value < (old.status[name] ?? 0))
      errors.push(invalid(`status.${name}`, value, `cannot decrease the ${name} counter`));
  }
  if (next.completed !== undefined && old.completed !== undefined && next.completed !== old.completed) {
    const detail = 'completionTime cannot be mutated';
    errors.push(invalid('status.completionTime', next.status.completionTime, detail));
  }
  if (old.started !== undefined && old.started !== next.started && !spec.suspend)
    errors.push(required('status.startTime', 'startTime cannot be removed for unsuspended job'));
  if (old.successMet && !next.successMet)
    errors.push(refused('cannot disable the SuccessCriteriaMet=True condition'));
  if (old.complete && !old.successMet && next.successMet) {
    const detail = 'cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions';
    errors.push(refused(detail));
  }
  return errors;
}

/** Everything wrong with an update of a job's status, in upstream's order. */
export function validateJobStatus(next: Job, old: Job): FieldError[] {
  const said = saidBy(next);
  const before = saidBy(old);
  return [
    ...validateCounts(said.status),
    ...validateFinished(said, before),
    ...validatePodsOfFinished(said, before),
    ...validateIndexes(next, said.status, before.status),
    ...validateAlways(next, said, before),
    ...validateProgress(next, said, before),
  ];
}
