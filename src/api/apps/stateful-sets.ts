import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { printSelector, selectorFrom } from '../../machinery/selectors/label-selector.ts';
import { dns1123LabelErrors, nameRule } from '../../machinery/validation/names.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { dropDisabledFields } from '../core/pod-spec/disabled-fields.ts';
import { defaultPodTemplate } from '../core/pod-spec/pod-defaults.ts';
import { claimSpecWarnings, podSpecWarnings } from '../core/pod-spec/pod-warnings.ts';
import { defaultClaimSpec } from '../core/pod-spec/volume-defaults.ts';
import { templateColumns } from '../core/workload-columns.ts';
import { type ResourceDefinition, defineResource } from '../resource.ts';
import {
  validateStatefulSet,
  validateStatefulSetStatus,
  validateStatefulSetUpdate,
} from './stateful-set-validation.ts';
import { type StatefulSet, statefulsets as statefulSetType } from './v1.gen.ts';

const noStatus = { replicas: 0, availableReplicas: 0 };

function defaultClaims({ volumeClaimTemplates = [] }: DeepMutable<StatefulSet>['spec']): void {
  for (const claim of volumeClaimTemplates) {
    claim.kind = 'PersistentVolumeClaim';
    claim.apiVersion = 'v1';
    claim.metadata ??= {};
    claim.spec ??= {};
    defaultClaimSpec(claim.spec);
    claim.status ??= {};
    claim.status.phase ||= 'Pending';
  }
}

function defaultStatefulSet(set: DeepMutable<StatefulSet>): void {
  set.spec ??= {} as typeof set.spec;
  set.status = { ...noStatus, ...set.status };
  const { spec } = set;
  spec.template ??= { spec: { containers: [] } };
  defaultPodTemplate(spec.template);
  defaultClaims(spec);
  spec.serviceName ??= '';
  spec.podManagementPolicy ||= 'OrderedReady';
  const strategy = (spec.updateStrategy ??= {});
  if (!strategy.type) {
    strategy.type = 'RollingUpdate';
    strategy.rollingUpdate ??= {};
  }
  if (strategy.type === 'RollingUpdate' && strategy.rollingUpdate) strategy.rollingUpdate.partition ??= 0;
  const retention = (spec.persistentVolumeClaimRetentionPolicy ??= {});
  retention.whenDeleted ||= 'Retain';
  retention.whenScaled ||= 'Retain';
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= 10;
}

function warnings(set: StatefulSet, of: 'create' | 'update'): string[] {
  const { template, volumeClaimTemplates = [], revisionHistoryLimit = 0 } = set.spec;
  const suffix = of === 'update' ? '.Spec' : '';
  return [
    ...podSpecWarnings(template.spec, 'spec.template.spec'),
    ...volumeClaimTemplates.flatMap(({ spec }, index) =>
      claimSpecWarnings(spec, `spec.volumeClaimTemplates[${index}]${suffix}`),
    ),
    ...(revisionHistoryLimit < 0
      ? [
          'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended',
        ]
      : []),
  ];
}

/** Stateful sets: numbered pods, each with a name and claims of its own. */
export const statefulSets: ResourceDefinition<StatefulSet> = defineResource<StatefulSet>({
  storage: 'v1',
  versions: {
    v1: { type: statefulSetType, schema: 'io.k8s.api.apps.v1.StatefulSet', defaults: defaultStatefulSet },
  },
  validateName: nameRule(dns1123LabelErrors),
  generation: true,
  prepareForCreate(set, context) {
    set.status = { ...noStatus };
    dropDisabledFields(set.spec.template.spec, context);
  },
  prepareForUpdate(next, old, context) {
    next.status = mutableCopy(old.status ?? noStatus);
    dropDisabledFields(next.spec.template.spec, context);
  },
  validate: validateStatefulSet,
  validateUpdate: validateStatefulSetUpdate,
  warnings(next, old) {
    if (!old) return warnings(next, 'create');
    return jsonEqual(next.spec, old.spec) ? [] : warnings(next, 'update');
  },
  status: { validate: validateStatefulSetStatus },
  scale: {
    specReplicasPath: '.spec.replicas',
    statusReplicasPath: '.status.replicas',
    selector: ({ spec }: StatefulSet) => printSelector(selectorFrom(spec.selector)),
  },
  columns: [
    nameColumn(),
    {
      name: 'Ready',
      type: 'string',
      cell: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
    },
    ageColumn(),
    ...templateColumns<StatefulSet>({
      template: ({ spec }) => spec.template,
      selector: ({ spec }) => spec.selector,
    }).slice(0, 2),
  ],
});
