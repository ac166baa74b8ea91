import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { validateImmutable } from '../../machinery/validation/object-meta.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { dropDisabledFields } from '../core/pod-spec/disabled-fields.ts';
import { defaultPodTemplate } from '../core/pod-spec/pod-defaults.ts';
import { podSpecWarnings } from '../core/pod-spec/pod-warnings.ts';
import { templateColumns } from '../core/workload-columns.ts';
import { type Column, type ResourceDefinition, defineResource } from '../resource.ts';
import { validateDaemonSet, validateDaemonSetStatus } from './daemon-set-validation.ts';
import {
  countTemplateGeneration,
  keepTemplateGeneration,
  showTemplateGeneration,
  startTemplateGeneration,
  templateGenerationKey,
} from './template-generation.ts';
import { type DaemonSet, type DaemonSetStatus, daemonsets as daemonSetType } from './v1.gen.ts';

const noStatus = {
  currentNumberScheduled: 0,
  numberMisscheduled: 0,
  desiredNumberScheduled: 0,
  numberReady: 0,
};

function defaultDaemonSet(set: DeepMutable<DaemonSet>): void {
  set.spec ??= {} as typeof set.spec;
  set.status = { ...noStatus, ...set.status };
  showTemplateGeneration(set);
  const { spec } = set;
  spec.template ??= { spec: { containers: [] } };
  defaultPodTemplate(spec.template);
  const strategy = (spec.updateStrategy ??= {});
  strategy.type ||= 'RollingUpdate';
  if (strategy.type === 'RollingUpdate') {
    strategy.rollingUpdate ??= {};
    strategy.rollingUpdate.maxUnavailable ??= 1;
    strategy.rollingUpdate.maxSurge ??= 0;
  }
  spec.revisionHistoryLimit ??= 10;
}

function countColumn(name: string, field: keyof DaemonSetStatus): Column<DaemonSet> {
  return { name, type: 'integer', cell: ({ status }) => Number(status?.[field] ?? 0) };
}

function nodeSelector({ spec }: DaemonSet): string {
  const pairs = Object.entries(spec.template.spec.nodeSelector ?? {}).map(
    ([key, value]) => `${key}=${value}`,
  );
  return pairs.sort().join(',') || '<none>';
}

/** Daemon sets: one pod on every node that fits. */
export const daemonSets: ResourceDefinition<DaemonSet> = defineResource<DaemonSet>({
  storage: 'v1',
  versions: {
    v1: { type: daemonSetType, schema: 'io.k8s.api.apps.v1.DaemonSet', defaults: defaultDaemonSet },
  },
  generation: true,
  hiddenAnnotations: [templateGenerationKey],
  prepareForCreate(set, context) {
    set.status = { ...noStatus };
    startTemplateGeneration(set);
    dropDisabledFields(set.spec.template.spec, context);
  },
  prepareForUpdate(next, old, context) {
    next.status = mutableCopy(old.status ?? noStatus);
    dropDisabledFields(next.spec.template.spec, context);
    countTemplateGeneration(next, old);
  },
  validate: validateDaemonSet,
  validateUpdate: (next, old) => [
    ...validateDaemonSet(next),
    ...validateImmutable(next.spec.selector, old.spec.selector, 'spec.selector'),
  ],
  warnings: (next, old) =>
    old && jsonEqual(old.spec, next.spec)
      ? []
      : podSpecWarnings(next.spec.template.spec, 'spec.template.spec'),
  status: {
    prepare(next, old) {
      next.spec = mutableCopy(old.spec);
      keepTemplateGeneration(next, old);
    },
    validate: validateDaemonSetStatus,
  },
  columns: [
    nameColumn(),
    countColumn('Desired', 'desiredNumberScheduled'),
    countColumn('Current', 'currentNumberScheduled'),
    countColumn('Ready', 'numberReady'),
    countColumn('Up-to-date', 'updatedNumberScheduled'),
    countColumn('Available', 'numberAvailable'),
    { name: 'Node Selector', type: 'string', cell: nodeSelector },
    ageColumn(),
    ...templateColumns<DaemonSet>({
      template: ({ spec }) => spec.template,
      selector: ({ spec }) => spec.selector,
    }),
  ],
});
