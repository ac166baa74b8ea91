import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { printSelector, selectorFrom } from '../../machinery/selectors/label-selector.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { dropDisabledFields } from '../core/pod-spec/disabled-fields.ts';
import { defaultPodTemplate } from '../core/pod-spec/pod-defaults.ts';
import { podNameWarnings } from '../core/pod-spec/pod-name-warnings.ts';
import { podSpecWarnings } from '../core/pod-spec/pod-warnings.ts';
import { templateColumns } from '../core/workload-columns.ts';
import { type ResourceDefinition, defineResource } from '../resource.ts';
import {
  validateDeployment,
  validateDeploymentStatus,
  validateDeploymentUpdate,
} from './deployment-validation.ts';
import { type Deployment, deployments as deploymentType } from './v1.gen.ts';

function defaultDeployment(deployment: DeepMutable<Deployment>): void {
  deployment.spec ??= {} as typeof deployment.spec;
  deployment.status ??= {};
  const { spec } = deployment;
  spec.template ??= { spec: { containers: [] } };
  defaultPodTemplate(spec.template);
  spec.replicas ??= 1;
  const strategy = (spec.strategy ??= {});
  strategy.type ||= 'RollingUpdate';
  if (strategy.type === 'RollingUpdate') {
    strategy.rollingUpdate ??= {};
    strategy.rollingUpdate.maxUnavailable ??= '25%';
    strategy.rollingUpdate.maxSurge ??= '25%';
  }
  spec.revisionHistoryLimit ??= 10;
  spec.progressDeadlineSeconds ??= 600;
}

/** Annotations count: they are copied to replica sets. */
function isChanged(next: Deployment, old: Deployment): boolean {
  return (
    !jsonEqual(next.spec, old.spec) ||
    !jsonEqual(next.metadata.annotations ?? {}, old.metadata.annotations ?? {})
  );
}

/** Deployments: a template of pods, rolled out replica set by replica set. */
export const deployments: ResourceDefinition<Deployment> = defineResource<Deployment>({
  storage: 'v1',
  versions: {
    v1: { type: deploymentType, schema: 'io.k8s.api.apps.v1.Deployment', defaults: defaultDeployment },
  },
  generation: true,
  generationChanged: isChanged,
  prepareForCreate(deployment, context) {
    deployment.status = {};
    dropDisabledFields(deployment.spec.template.spec, context);
  },
  prepareForUpdate(next, old, context) {
    next.status = mutableCopy(old.status ?? {});
    dropDisabledFields(next.spec.template.spec, context);
  },
  validate: validateDeployment,
  validateUpdate: validateDeploymentUpdate,
  warnings(next, old) {
    if (old && !isChanged(next, old)) return [];
    return [
      ...(old ? [] : podNameWarnings(next)),
      ...podSpecWarnings(next.spec.template.spec, 'spec.template.spec'),
    ];
  },
  status: {
    resets: ['spec', 'metadata.labels'],
    prepare(next, old) {
      next.spec = mutableCopy(old.spec);
      const { labels } = old.metadata;
      if (labels) next.metadata.labels = mutableCopy(labels);
      else delete next.metadata.labels;
    },
    validate: validateDeploymentStatus,
  },
  scale: {
    specReplicasPath: '.spec.replicas',
    statusReplicasPath: '.status.replicas',
    selector: ({ spec }: Deployment) => printSelector(selectorFrom(spec.selector)),
  },
  columns: [
    nameColumn(),
    {
      name: 'Ready',
      type: 'string',
      cell: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec.replicas ?? 0}`,
    },
    { name: 'Up-to-date', type: 'string', cell: ({ status }) => status?.updatedReplicas ?? 0 },
    { name: 'Available', type: 'string', cell: ({ status }) => status?.availableReplicas ?? 0 },
    ageColumn(),
    ...templateColumns<Deployment>({
      template: ({ spec }) => spec.template,
      selector: ({ spec }) => spec.selector,
    }),
  ],
});
