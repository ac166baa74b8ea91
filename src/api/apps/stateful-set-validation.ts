import { type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/field-error.ts';
import {
  selectorFrom,
  selectorMatches,
  validateLabelSelector,
} from '../../machinery/selectors/label-selector.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { dns1123LabelErrors } from '../../machinery/validation/names.ts';
import { invalidEach, nonNegative } from '../core/pod-spec/invalid-each.ts';
import { validateClaimSpec } from '../core/pod-spec/validate-claim-spec.ts';
import { validatePodTemplate } from '../core/pod-spec/validate-pod-template.ts';
import type { PodTemplateSpec } from '../core/v1.gen.ts';
import { amountOf, validateAtMostAll, validateCount } from './count-or-percent.ts';
import type { RollingUpdateStatefulSetStrategy, StatefulSet, StatefulSetSpec } from './v1.gen.ts';

function validateManagementPolicy({ podManagementPolicy }: StatefulSetSpec): FieldError[] {
  const field = 'spec.podManagementPolicy';
  const policy: string = podManagementPolicy ?? '';
  if (!policy) return [required(field)];
  if (policy === 'OrderedReady' || policy === 'Parallel') return [];
  return [invalid(field, policy, "must be 'OrderedReady' or 'Parallel'")];
}

function printedRollingUpdate(rolling: RollingUpdateStatefulSetStrategy | undefined): unknown {
  return rolling
    ? { Partition: rolling.partition ?? 0, MaxUnavailable: rolling.maxUnavailable ?? null }
    : null;
}

function validateRollingUpdate({
  partition,
  maxUnavailable,
}: RollingUpdateStatefulSetStrategy): FieldError[] {
  const field = 'spec.updateStrategy.rollingUpdate';
  const at = `${field}.maxUnavailable`;
  const errors = nonNegative(`${field}.partition`, partition ?? 0);
  if (maxUnavailable === undefined) return errors;
  return [
    ...errors,
    ...validateCount(maxUnavailable, at),
    ...(amountOf(maxUnavailable) === 0 ? [invalid(at, maxUnavailable, 'cannot be 0')] : []),
    ...validateAtMostAll(maxUnavailable, at),
  ];
}

function validateUpdateStrategy({ updateStrategy }: StatefulSetSpec): FieldError[] {
  const field = 'spec.updateStrategy';
  const type: string = updateStrategy?.type ?? '';
  const rolling = updateStrategy?.rollingUpdate;
  if (!type) return [required(field)];
  if (type === 'RollingUpdate') return rolling ? validateRollingUpdate(rolling) : [];
  if (type === 'OnDelete') {
    if (!rolling) return [];
    const detail = "only allowed for updateStrategy 'RollingUpdate'";
    return [invalid(`${field}.rollingUpdate`, printedRollingUpdate(rolling), detail)];
  }
  const shown = { Type: type, RollingUpdate: printedRollingUpdate(rolling) };
  return [invalid(field, shown, "must be 'RollingUpdate' or 'OnDelete'")];
}

function validateRetention({ persistentVolumeClaimRetentionPolicy: policy }: StatefulSetSpec): FieldError[] {
  if (!policy) return [];
  return (['whenDeleted', 'whenScaled'] as const).flatMap((name) => {
    const value = policy[name] ?? '';
    if (value === 'Retain' || value === 'Delete') return [];
    const field = `spec.persistentVolumeClaimRetentionPolicy.${name}`;
    return [notSupported(field, value, ['Retain', 'Delete'])];
  });
}

function validateSelector({ selector }: StatefulSetSpec): FieldError[] {
  const given: StatefulSetSpec['selector'] | undefined = selector;
  if (!given) return [required('spec.selector')];
  const size = Object.keys(given.matchLabels ?? {}).length + (given.matchExpressions ?? []).length;
  return [
    ...validateLabelSelector(given, 'spec.selector'),
    ...(size === 0 ? [invalid('spec.selector', given, 'empty selector is invalid for statefulset')] : []),
  ];
}

/** The template as its pods will be: with a volume for every claim, ahead of its own. */
function templateWithClaims({ template, volumeClaimTemplates = [] }: StatefulSetSpec): PodTemplateSpec {
  const names = volumeClaimTemplates.map(({ metadata }) => metadata.name ?? '');
  const claims = names.map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
  const others = (template.spec.volumes ?? []).filter(({ name }) => !names.includes(name));
  return { ...template, spec: { ...template.spec, volumes: [...claims, ...others] } };
}

function validateTemplate(spec: StatefulSetSpec): FieldError[] {
  const { selector, template } = spec;
  const errors: FieldError[] = [];
  if (validateLabelSelector(selector, '').length > 0) errors.push(invalid('spec.selector', selector, ''));
  else {
    const labels = template.metadata?.labels;
    const query = selectorFrom(selector);
    if ((query.nothing || query.requirements.length > 0) && !selectorMatches(query, labels ?? {})) {
      const detail = '`selector` does not match template `labels`';
      errors.push(invalid('spec.template.metadata.labels', labels, detail));
    }
    errors.push(...validatePodTemplate(templateWithClaims(spec), 'spec.template'));
  }
  const policy = template.spec.restartPolicy ?? '';
  if (policy !== 'Always') {
    errors.push(notSupported('spec.template.spec.restartPolicy', policy, ['Always']));
  }
  if (template.spec.activeDeadlineSeconds !== undefined) {
    const detail = 'activeDeadlineSeconds in StatefulSet is not Supported';
    errors.push(forbidden('spec.template.spec.activeDeadlineSeconds', detail));
  }
  return errors;
}

function validateClaims({ volumeClaimTemplates = [] }: StatefulSetSpec): FieldError[] {
  return volumeClaimTemplates.flatMap(({ spec }, index) =>
    validateClaimSpec(spec, `spec.volumeClaimTemplates[${index}].spec`),
  );
}

function validateSpec(spec: StatefulSetSpec): FieldError[] {
  return [
    ...validateManagementPolicy(spec),
    ...validateUpdateStrategy(spec),
    ...validateRetention(spec),
    ...nonNegative('spec.replicas', spec.replicas ?? 0),
    ...nonNegative('spec.minReadySeconds', spec.minReadySeconds ?? 0),
    ...nonNegative('spec.ordinals.start', spec.ordinals?.start ?? 0),
    ...validateSelector(spec),
    ...validateTemplate(spec),
  ];
}

function validateServiceName({ serviceName }: StatefulSetSpec): FieldError[] {
  return serviceName ? invalidEach('spec.serviceName', serviceName, dns1123LabelErrors(serviceName)) : [];
}

/** Everything wrong with a stateful set to create, in upstream's order. */
export function validateStatefulSet({ spec }: StatefulSet): FieldError[] {
  return [...validateSpec(spec), ...validateServiceName(spec), ...validateClaims(spec)];
}

const changeable: ReadonlySet<string> = new Set([
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
]);

function fixedPart(spec: StatefulSetSpec): unknown {
  return Object.fromEntries(Object.entries(spec).filter(([name]) => !changeable.has(name)));
}

/** Everything wrong with an update of a stateful set; what may not change is one error of the whole spec. */
export function validateStatefulSetUpdate(next: StatefulSet, old: StatefulSet): FieldError[] {
  const errors = validateSpec(next.spec);
  if (jsonEqual(fixedPart(next.spec), fixedPart(old.spec))) return errors;
  const names = [...changeable].map((name) => `'${name}'`);
  const list = `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
  return [
    ...errors,
    forbidden('spec', `updates to statefulset spec for fields other than ${list} are forbidden`),
  ];
}

const counters = [
  'replicas',
  'readyReplicas',
  'currentReplicas',
  'updatedReplicas',
  'availableReplicas',
  'observedGeneration',
  'collisionCount',
] as const;

/** Everything wrong with the status of a stateful set. */
export function validateStatefulSetStatus(next: StatefulSet, old: StatefulSet): FieldError[] {
  const { status } = next;
  const errors = counters.flatMap((name) => nonNegative(`status.${name}`, status?.[name] ?? 0));
  for (const name of ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'] as const) {
    const value = status?.[name] ?? 0;
    if (value > (status?.replicas ?? 0))
      errors.push(invalid(`status.${name}`, value, 'cannot be greater than status.replicas'));
  }
  const available = status?.availableReplicas ?? 0;
  if (available > (status?.readyReplicas ?? 0)) {
    errors.push(
      invalid('status.availableReplicas', available, 'cannot be greater than status.readyReplicas'),
    );
  }
  const before = old.status?.collisionCount;
  if (before !== undefined && (status?.collisionCount ?? -1) < before) {
    errors.push(invalid('status.collisionCount', status?.collisionCount ?? 0, 'cannot be decremented'));
  }
  return errors;
}
