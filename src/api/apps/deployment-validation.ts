import { type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/field-error.ts';
import { validateImmutable } from '../../machinery/validation/object-meta.ts';
import { nonNegative } from '../core/pod-spec/invalid-each.ts';
import { amountOf, validateAtMostAll, validateCount } from './count-or-percent.ts';
import { validateReplicatedTemplate, validateWorkloadSelector } from './replica-set-template.ts';
import type { Deployment, DeploymentSpec, RollingUpdateDeployment } from './v1.gen.ts';

function validateRollingUpdate({ maxUnavailable, maxSurge }: RollingUpdateDeployment): FieldError[] {
  const field = 'spec.strategy.rollingUpdate';
  const errors = [
    ...validateCount(maxUnavailable, `${field}.maxUnavailable`),
    ...validateCount(maxSurge, `${field}.maxSurge`),
  ];
  if (amountOf(maxUnavailable) === 0 && amountOf(maxSurge) === 0) {
    errors.push(invalid(`${field}.maxUnavailable`, maxUnavailable, 'may not be 0 when `maxSurge` is 0'));
  }
  return [...errors, ...validateAtMostAll(maxUnavailable, `${field}.maxUnavailable`)];
}

function validateStrategy({ strategy }: DeploymentSpec): FieldError[] {
  const type: string = strategy?.type ?? '';
  const rolling = strategy?.rollingUpdate;
  if (type === 'Recreate') {
    if (!rolling) return [];
    const detail = "may not be specified when strategy `type` is 'Recreate'";
    return [forbidden('spec.strategy.rollingUpdate', detail)];
  }
  if (type === 'RollingUpdate') {
    if (rolling) return validateRollingUpdate(rolling);
    return [required('spec.strategy.rollingUpdate', 'this should be defaulted and never be nil')];
  }
  const shown = { Type: type, RollingUpdate: rolling ?? null };
  return [notSupported('spec.strategy', shown, ['Recreate', 'RollingUpdate'])];
}

/** Everything wrong with a deployment, in upstream's order. */
export function validateDeployment({ spec }: Deployment): FieldError[] {
  const minReady = spec.minReadySeconds ?? 0;
  const deadline = spec.progressDeadlineSeconds;
  const errors = [
    ...nonNegative('spec.replicas', spec.replicas ?? 0),
    ...validateWorkloadSelector(spec.selector),
    ...validateReplicatedTemplate(spec.template, spec.selector),
    ...validateStrategy(spec),
    ...nonNegative('spec.minReadySeconds', minReady),
    ...nonNegative('spec.revisionHistoryLimit', spec.revisionHistoryLimit ?? 0),
    ...nonNegative('spec.progressDeadlineSeconds', deadline ?? 0),
  ];
  if (deadline !== undefined && deadline <= minReady) {
    errors.push(invalid('spec.progressDeadlineSeconds', deadline, 'must be greater than minReadySeconds'));
  }
  return errors;
}

/** Everything wrong with an update of a deployment: its selector stays. */
export function validateDeploymentUpdate(next: Deployment, old: Deployment): FieldError[] {
  return [
    ...validateDeployment(next),
    ...validateImmutable(next.spec.selector, old.spec.selector, 'spec.selector'),
  ];
}

const counters = [
  'observedGeneration',
  'replicas',
  'updatedReplicas',
  'readyReplicas',
  'availableReplicas',
  'terminatingReplicas',
  'unavailableReplicas',
  'collisionCount',
] as const;

/** Everything wrong with the status of a deployment. */
export function validateDeploymentStatus(next: Deployment, old: Deployment): FieldError[] {
  const status = next.status ?? {};
  const errors = counters.flatMap((name) => nonNegative(`status.${name}`, status[name] ?? 0));
  const { replicas = 0, readyReplicas = 0, availableReplicas = 0 } = status;
  for (const name of ['updatedReplicas', 'readyReplicas', 'availableReplicas'] as const) {
    const value = status[name] ?? 0;
    if (value > replicas)
      errors.push(invalid(`status.${name}`, value, 'cannot be greater than status.replicas'));
  }
  if (availableReplicas > readyReplicas) {
    errors.push(
      invalid('status.availableReplicas', availableReplicas, 'cannot be greater than readyReplicas'),
    );
  }
  const before = old.status?.collisionCount;
  if (before !== undefined && (status.collisionCount ?? -1) < before) {
    errors.push(invalid('status.collisionCount', status.collisionCount ?? null, 'cannot be decremented'));
  }
  return errors;
}
