import { type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/field-error.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { printSelector, selectorFromMap, selectorMatches } from '../../machinery/selectors/label-selector.ts';
import { dns1123SubdomainErrors, nameRule } from '../../machinery/validation/names.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { type ResourceDefinition, defineResource } from '../resource.ts';
import { dropDisabledFields } from './pod-spec/disabled-fields.ts';
import { nonNegative } from './pod-spec/invalid-each.ts';
import { defaultPodTemplate } from './pod-spec/pod-defaults.ts';
import { podNameWarnings } from './pod-spec/pod-name-warnings.ts';
import { podSpecWarnings } from './pod-spec/pod-warnings.ts';
import { validateReplicaCounts } from './replica-counts.ts';
import { validatePodTemplate } from './pod-spec/validate-pod-template.ts';
import {
  type ReplicationController,
  type ReplicationControllerSpec,
  replicationcontrollers as replicationControllerType,
} from './v1.gen.ts';
import { templateColumns } from './workload-columns.ts';

function defaultReplicationController(controller: DeepMutable<ReplicationController>): void {
  controller.spec ??= {};
  controller.status = { replicas: 0, ...controller.status };
  const { spec, metadata } = controller;
  if (spec.template) defaultPodTemplate(spec.template);
  const labels = spec.template?.metadata?.labels;
  if (labels) {
    if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
    if (Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
  }
  spec.replicas ??= 1;
}

function validateTemplate({ template, selector }: ReplicationControllerSpec): FieldError[] {
  const field = 'spec.template';
  if (!template) return [required(field)];
  const errors: FieldError[] = [];
  const labels = template.metadata?.labels;
  if (selector && !selectorMatches(selectorFromMap(selector), labels ?? {})) {
    const detail = '`selector` does not match template `labels`';
    errors.push(invalid(`${field}.metadata.labels`, labels, detail));
  }
  errors.push(...validatePodTemplate(template, field));
  const policy = template.spec.restartPolicy ?? '';
  if (policy !== 'Always') {
    errors.push(notSupported(`${field}.spec.restartPolicy`, policy, ['Always']));
  }
  if (template.spec.activeDeadlineSeconds !== undefined) {
    const detail = 'activeDeadlineSeconds in ReplicationController is not Supported';
    errors.push(forbidden(`${field}.spec.activeDeadlineSeconds`, detail));
  }
  return errors;
}

function validate({ spec }: ReplicationController): FieldError[] {
  return [
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds ?? 0),
    ...(Object.keys(spec.selector ?? {}).length === 0 ? [required('spec.selector')] : []),
    ...nonNegative('spec.replicas', spec.replicas ?? 0),
    ...validateTemplate(spec),
  ];
}

function validateStatus({ status }: ReplicationController): FieldError[] {
  return validateReplicaCounts(status);
}

function templateWarnings({ spec }: ReplicationController): string[] {
  return spec.template ? podSpecWarnings(spec.template.spec, 'spec.template.spec') : [];
}

/** Replication controllers: so many pods of one template, as before there were replica sets. */
export const replicationControllers: ResourceDefinition<ReplicationController> =
  defineResource<ReplicationController>({
    storage: 'v1',
    storagePath: 'controllers',
    versions: {
      v1: {
        type: replicationControllerType,
        schema: 'io.k8s.api.core.v1.ReplicationController',
        defaults: defaultReplicationController,
      },
    },
    // Upstream checks this kind's name by declaration, which counts bytes.
    validateName: nameRule((name) => dns1123SubdomainErrors(name, 'bytes')),
    generation: true,
    defaultPropagation: 'orphan',
    prepareForCreate(controller, context) {
      controller.status = { replicas: 0 };
      if (controller.spec.template) dropDisabledFields(controller.spec.template.spec, context);
    },
    prepareForUpdate(next, old, context) {
      next.status = mutableCopy(old.status ?? { replicas: 0 });
      if (next.spec.template) dropDisabledFields(next.spec.template.spec, context);
    },
    validate,
    validateUpdate: (next) => validate(next),
    warnings(next, old) {
      if (!old) return [...podNameWarnings(next), ...templateWarnings(next)];
      return jsonEqual(next.spec, old.spec) ? [] : templateWarnings(next);
    },
    status: { validate: validateStatus },
    scale: {
      specReplicasPath: '.spec.replicas',
      statusReplicasPath: '.status.replicas',
      selector: ({ spec }: ReplicationController) => printSelector(selectorFromMap(spec.selector)),
    },
    selectableFields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
    columns: [
      nameColumn(),
      { name: 'Desired', type: 'integer', cell: ({ spec }) => spec.replicas ?? 0 },
      { name: 'Current', type: 'integer', cell: ({ status }) => status?.replicas ?? 0 },
      { name: 'Ready', type: 'integer', cell: ({ status }) => status?.readyReplicas ?? 0 },
      ageColumn(),
      ...templateColumns<ReplicationController>({
        template: ({ spec }) => spec.template,
        selector: ({ spec }) => spec.selector && { matchLabels: spec.selector },
      }),
    ],
  });
