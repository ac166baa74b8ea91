import { humanDuration } from '../../machinery/duration.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { dropDisabledFields } from '../core/pod-spec/disabled-fields.ts';
import { defaultPodTemplate } from '../core/pod-spec/pod-defaults.ts';
import { podNameWarnings } from '../core/pod-spec/pod-name-warnings.ts';
import { templateColumns } from '../core/workload-columns.ts';
import { type ResourceDefinition, defineResource } from '../resource.ts';
import { generateSelector } from './job-selector.ts';
import { validateJobStatus } from './job-status-validation.ts';
import { validateJob, validateJobUpdate } from './job-validation.ts';
import { jobSpecWarnings } from './job-warnings.ts';
import { type Job, jobs as jobType } from './v1.gen.ts';

const unlimited = 2_147_483_647;

/** A job without labels of its own gets those of its pods. */
function labelLikeTemplate({ metadata, spec }: DeepMutable<Job>): void {
  const labels = spec.template.metadata?.labels;
  if (labels && Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
}

function defaultJob(job: DeepMutable<Job>): void {
  job.spec ??= {} as typeof job.spec;
  job.status ??= {};
  const { spec } = job;
  spec.template ??= { spec: { containers: [] } };
  defaultPodTemplate(spec.template);
  if (spec.completions === undefined && spec.parallelism === undefined) {
    spec.completions = 1;
  }
  spec.parallelism ??= 1;
  spec.backoffLimit ??= spec.backoffLimitPerIndex === undefined ? 6 : unlimited;
  labelLikeTemplate(job);
  spec.completionMode ??= 'NonIndexed';
  spec.suspend ??= false;
  spec.manualSelector ??= false;
  for (const rule of spec.podFailurePolicy?.rules ?? []) {
    for (const condition of rule.onPodConditions ?? []) condition.status ||= 'True';
  }
  spec.podReplacementPolicy ??= spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed';
}

const conditionsByWeight = ['Complete', 'Failed', 'Suspended', 'FailureTarget', 'SuccessCriteriaMet'];

function status(job: Job): string {
  const conditions = job.status?.conditions ?? [];
  const found = conditionsByWeight.find((type) =>
    conditions.some((one) => one.type === type && one.status === 'True'),
  );
  if (found) return found;
  return job.metadata.deletionTimestamp ? 'Terminating' : 'Running';
}

function completions({ spec, status: state }: Job): string {
  const done = state?.succeeded ?? 0;
  if (spec.completions !== undefined) return `${done}/${spec.completions}`;
  const parallelism = spec.parallelism ?? 0;
  return parallelism > 1 ? `${done}/1 of ${parallelism}` : `${done}/1`;
}

function duration({ status: state }: Job, now: number): string {
  if (!state?.startTime) return '';
  const end = state.completionTime ? Date.parse(state.completionTime) : now;
  return humanDuration(end - Date.parse(state.startTime));
}

/** Jobs: pods that run until enough of them have succeeded. */
export const jobs: ResourceDefinition<Job> = defineResource<Job>({
  storage: 'v1',
  versions: { v1: { type: jobType, schema: 'io.k8s.api.batch.v1.Job', defaults: defaultJob } },
  generation: true,
  defaultPropagation: 'orphan',
  orphanWarning:
    'child pods are preserved by default when jobs are deleted; set propagationPolicy=Background to remove them or set propagationPolicy=Orphan to suppress this warning',
  prepareForCreate(job, context) {
    job.status = {};
    dropDisabledFields(job.spec.template.spec, context);
    if (!job.spec.manualSelector) generateSelector(job);
    labelLikeTemplate(job);
  },
  prepareForUpdate(next, old, context) {
    next.status = mutableCopy(old.status ?? {});
    dropDisabledFields(next.spec.template.spec, context);
  },
  validate: validateJob,
  validateUpdate: validateJobUpdate,
  warnings(job, old) {
    if (!old) return [...podNameWarnings(job), ...jobSpecWarnings(job.spec, 'spec')];
    return jsonEqual(job.spec, old.spec) ? [] : jobSpecWarnings(job.spec, 'spec');
  },
  status: { validate: validateJobStatus },
  unselectableField: (field) => `field label ${JSON.stringify(field)} not supported for Job`,
  selectableFields: { 'status.successful': ({ status: state }) => String(state?.succeeded ?? 0) },
  columns: [
    nameColumn(),
    { name: 'Status', type: 'string', cell: status },
    { name: 'Completions', type: 'string', cell: completions },
    { name: 'Duration', type: 'string', cell: duration },
    ageColumn(),
    ...templateColumns<Job>({ template: ({ spec }) => spec.template, selector: ({ spec }) => spec.selector }),
  ],
});
