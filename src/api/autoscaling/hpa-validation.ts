import { type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/field-error.ts';
import { parseQuantity } from '../../machinery/quantity.ts';
import { nonNegative } from '../core/pod-spec/invalid-each.ts';
import { validateMetric } from './metric-validation.ts';
import { validateReference } from './reference-validation.ts';
import type {
  HPAScalingPolicy,
  HPAScalingRules,
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerSpec,
} from './v2.gen.ts';

const maxSeconds = 3600;
const maxPeriodSeconds = 1800;

function validatePolicy({ type, value, periodSeconds }: HPAScalingPolicy, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (type !== 'Pods' && type !== 'Percent') {
    errors.push(notSupported(`${field}.type`, type, ['Percent', 'Pods']));
  }
  if (value <= 0) errors.push(invalid(`${field}.value`, value, 'must be greater than zero'));
  if (periodSeconds <= 0) {
    errors.push(invalid(`${field}.periodSeconds`, periodSeconds, 'must be greater than zero'));
  }
  if (periodSeconds > maxPeriodSeconds) {
    const detail = `must be less than or equal to ${maxPeriodSeconds}`;
    errors.push(invalid(`${field}.periodSeconds`, periodSeconds, detail));
  }
  return errors;
}

function validateRules(rules: HPAScalingRules | undefined, field: string): FieldError[] {
  if (!rules) return [];
  const { stabilizationWindowSeconds: seconds = 0, selectPolicy, policies = [], tolerance } = rules;
  const errors: FieldError[] = [];
  const at = `${field}.stabilizationWindowSeconds`;
  if (seconds < 0) errors.push(invalid(at, seconds, 'must be greater than or equal to zero'));
  if (seconds > maxSeconds) {
    errors.push(invalid(at, seconds, `must be less than or equal to ${maxSeconds}`));
  }
  if (selectPolicy !== undefined && !['Disabled', 'Max', 'Min'].includes(selectPolicy)) {
    errors.push(notSupported(`${field}.selectPolicy`, selectPolicy, ['Disabled', 'Max', 'Min']));
  }
  if (policies.length === 0) {
    errors.push(required(`${field}.policies`, 'must specify at least one Policy'));
  }
  errors.push(...policies.flatMap((policy, index) => validatePolicy(policy, `${field}.policies[${index}]`)));
  if (tolerance !== undefined && parseQuantity(tolerance).nanos < 0n) {
    errors.push(invalid(`${field}.tolerance`, tolerance, 'must be greater than or equal to 0'));
  }
  return errors;
}

function validateReplicas(spec: HorizontalPodAutoscalerSpec, lowest: number): FieldError[] {
  const { minReplicas, maxReplicas } = spec;
  const errors: FieldError[] = [];
  if (maxReplicas === 0) errors.push(required('spec.maxReplicas', 'must be set and greater than 0'));
  else if (maxReplicas < 0) {
    errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to 1'));
  }
  if (minReplicas !== undefined && minReplicas < lowest) {
    errors.push(invalid('spec.minReplicas', minReplicas, `must be greater than or equal to ${lowest}`));
  }
  if (minReplicas !== undefined && maxReplicas < minReplicas) {
    errors.push(invalid('spec.maxReplicas', maxReplicas, 'must be greater than or equal to `minReplicas`'));
  }
  return errors;
}

function validateMetrics({ metrics = [], minReplicas }: HorizontalPodAutoscalerSpec): FieldError[] {
  const errors = metrics.flatMap((metric, index) => validateMetric(metric, `spec.metrics[${index}]`));
  const idle = metrics.some(({ type }) => type === 'Object' || type === 'External');
  if (minReplicas !== 0 || idle) return errors;
  const detail = 'must specify at least one Object or External metric to support scaling to zero replicas';
  return [...errors, forbidden('spec.metrics', detail)];
}

function validateSpec(spec: HorizontalPodAutoscalerSpec, lowest: number): FieldError[] {
  const coreGroup = spec.scaleTargetRef.kind === 'ReplicationController' ? 'allowed' : 'refused';
  return [
    ...validateReplicas(spec, lowest),
    ...validateReference(spec.scaleTargetRef, 'spec.scaleTargetRef', { coreGroup }),
    ...validateMetrics(spec),
    ...validateRules(spec.behavior?.scaleUp, 'spec.behavior.scaleUp'),
    ...validateRules(spec.behavior?.scaleDown, 'spec.behavior.scaleDown'),
  ];
}

/** Everything wrong with an autoscaler to create. */
export function validateAutoscaler({ spec }: HorizontalPodAutoscaler): FieldError[] {
  return validateSpec(spec, 1);
}

/** Everything wrong with an update of an autoscaler; a target that was wrong before may stay so. */
export function validateAutoscalerUpdate(
  next: HorizontalPodAutoscaler,
  old: HorizontalPodAutoscaler,
): FieldError[] {
  const before = new Set(validateSpec(old.spec, 0).map(({ field }) => field));
  return validateSpec(next.spec, old.spec.minReplicas === 0 ? 0 : 1).filter(
    ({ field }) => !(field.endsWith('.apiVersion') && before.has(field)),
  );
}

/** Everything wrong with the status of an autoscaler. */
export function validateAutoscalerStatus({ status }: HorizontalPodAutoscaler): FieldError[] {
  return [
    ...nonNegative('status.currentReplicas', status?.currentReplicas ?? 0),
    ...nonNegative('status.desiredReplicas', status?.desiredReplicas ?? 0),
  ];
}
