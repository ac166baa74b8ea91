import type { FieldError } from '../../machinery/field-error.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { printSelector, selectorFrom } from '../../machinery/selectors/label-selector.ts';
import { validateImmutable } from '../../machinery/validation/object-meta.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { nonNegative } from '../core/pod-spec/invalid-each.ts';
import { dropDisabledFields } from '../core/pod-spec/disabled-fields.ts';
import { defaultPodTemplate } from '../core/pod-spec/pod-defaults.ts';
import { podNameWarnings } from '../core/pod-spec/pod-name-warnings.ts';
import { podSpecWarnings } from '../core/pod-spec/pod-warnings.ts';
import { validateReplicaCounts } from '../core/replica-counts.ts';
import { templateColumns } from '../core/workload-columns.ts';
import { type ResourceDefinition, defineResource } from '../resource.ts';
import { validateReplicatedTemplate, validateWorkloadSelector } from './replica-set-template.ts';
import { type ReplicaSet, replicasets as replicaSetType } from './v1.gen.ts';

function defaultReplicaSet(set: DeepMutable<ReplicaSet>): void {
  set.spec ??= {} as typeof set.spec;
  set.status ??= { replicas: 0 };
  set.status.replicas ??= 0;
  set.spec.template ??= { spec: { containers: [] } };
  defaultPodTemplate(set.spec.template);
  set.spec.replicas ??= 1;
}

function validate({ spec }: ReplicaSet): FieldError[] {
  const template = spec.template ?? { spec: { containers: [] } };
  return [
    ...nonNegative('spec.replicas', spec.replicas ?? 0),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds ?? 0),
    ...validateWorkloadSelector(spec.selector),
    ...validateReplicatedTemplate(template, spec.selector),
  ];
}

function validateStatus({ status }: ReplicaSet): FieldError[] {
  return validateReplicaCounts(status);
}

/** Replica sets: so many pods of one template. */
export const replicaSets: ResourceDefinition<ReplicaSet> = defineResource<ReplicaSet>({
  storage: 'v1',
  versions: {
    v1: { type: replicaSetType, schema: 'io.k8s.api.apps.v1.ReplicaSet', defaults: defaultReplicaSet },
  },
  generation: true,
  prepareForCreate(set, context) {
    set.status = { replicas: 0 };
    if (set.spec.template) dropDisabledFields(set.spec.template.spec, context);
  },
  prepareForUpdate(next, old, context) {
    next.status = mutableCopy(old.status ?? { replicas: 0 });
    if (next.spec.template) dropDisabledFields(next.spec.template.spec, context);
  },
  validate,
  validateUpdate: (next, old) => [
    ...validate(next),
    ...validateImmutable(next.spec.selector, old.spec.selector, 'spec.selector'),
  ],
  warnings(next, old) {
    if (old && jsonEqual(next.spec, old.spec)) return [];
    const { template } = next.spec;
    return [
      ...(old ? [] : podNameWarnings(next)),
      ...(template ? podSpecWarnings(template.spec, 'spec.template.spec') : []),
    ];
  },
  status: { validate: validateStatus },
  scale: {
    specReplicasPath: '.spec.replicas',
    statusReplicasPath: '.status.replicas',
    selector: ({ spec }: ReplicaSet) => printSelector(selectorFrom(spec.selector)),
  },
  columns: [
    nameColumn(),
    { name: 'Desired', type: 'integer', cell: ({ spec }) => spec.replicas ?? 0 },
    { name: 'Current', type: 'integer', cell: ({ status }) => status?.replicas ?? 0 },
    { name: 'Ready', type: 'integer', cell: ({ status }) => status?.readyReplicas ?? 0 },
    ageColumn(),
    ...templateColumns<ReplicaSet>({
      template: ({ spec }) => spec.template,
      selector: ({ spec }) => spec.selector,
    }),
  ],
});
