import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { age, ageColumn, nameColumn } from '../columns.ts';
import { dropDisabledFields } from '../core/pod-spec/disabled-fields.ts';
import { defaultPodTemplate } from '../core/pod-spec/pod-defaults.ts';
import { podNameWarnings } from '../core/pod-spec/pod-name-warnings.ts';
import { templateColumns } from '../core/workload-columns.ts';
import { type ResourceDefinition, defineResource } from '../resource.ts';
import { validateCronJob, validateCronJobUpdate } from './cron-job-validation.ts';
import { jobSpecWarnings } from './job-warnings.ts';
import { type CronJob, cronjobs as cronJobType } from './v1.gen.ts';

function defaultCronJob(cronJob: DeepMutable<CronJob>): void {
  cronJob.spec ??= {} as typeof cronJob.spec;
  cronJob.status ??= {};
  const { spec } = cronJob;
  spec.schedule ??= '';
  const template = (spec.jobTemplate ??= {} as typeof spec.jobTemplate);
  template.metadata ??= {};
  template.spec ??= {} as typeof template.spec;
  template.spec.template ??= { spec: { containers: [] } };
  defaultPodTemplate(template.spec.template);
  for (const rule of template.spec.podFailurePolicy?.rules ?? []) {
    for (const condition of rule.onPodConditions ?? []) condition.status ||= 'True';
  }
  spec.concurrencyPolicy ||= 'Allow';
  spec.suspend ??= false;
  spec.successfulJobsHistoryLimit ??= 3;
  spec.failedJobsHistoryLimit ??= 1;
}

function templateWarnings({ spec }: CronJob): string[] {
  return jobSpecWarnings(spec.jobTemplate.spec, 'spec.jobTemplate.spec');
}

function zoneWarnings({ spec }: CronJob): string[] {
  return spec.schedule.includes('TZ')
    ? ['cannot use TZ or CRON_TZ in spec.schedule, use timeZone instead']
    : [];
}

/** Cron jobs: jobs at the times of a schedule. */
export const cronJobs: ResourceDefinition<CronJob> = defineResource<CronJob>({
  storage: 'v1',
  versions: { v1: { type: cronJobType, schema: 'io.k8s.api.batch.v1.CronJob', defaults: defaultCronJob } },
  generation: true,
  prepareForCreate(cronJob, context) {
    cronJob.status = {};
    dropDisabledFields(cronJob.spec.jobTemplate.spec.template.spec, context);
  },
  prepareForUpdate(next, old, context) {
    next.status = mutableCopy(old.status ?? {});
    dropDisabledFields(next.spec.jobTemplate.spec.template.spec, context);
  },
  validate: validateCronJob,
  validateUpdate: validateCronJobUpdate,
  warnings(next, old) {
    if (!old) return [...podNameWarnings(next), ...templateWarnings(next), ...zoneWarnings(next)];
    const template = jsonEqual(next.spec, old.spec) ? [] : templateWarnings(next);
    return [...template, ...zoneWarnings(next)];
  },
  status: {},
  columns: [
    nameColumn(),
    { name: 'Schedule', type: 'string', cell: ({ spec }) => spec.schedule },
    { name: 'Timezone', type: 'string', cell: ({ spec }) => spec.timeZone ?? '<none>' },
    { name: 'Suspend', type: 'boolean', cell: ({ spec }) => (spec.suspend ? 'True' : 'False') },
    { name: 'Active', type: 'integer', cell: ({ status }) => status?.active?.length ?? 0 },
    {
      name: 'Last Schedule',
      type: 'string',
      cell: ({ status }, now) => (status?.lastScheduleTime ? age(status.lastScheduleTime, now) : '<none>'),
    },
    ageColumn(),
    ...templateColumns<CronJob>({
      template: ({ spec }) => spec.jobTemplate.spec.template,
      selector: ({ spec }) => spec.jobTemplate.spec.selector,
    }),
  ],
});
