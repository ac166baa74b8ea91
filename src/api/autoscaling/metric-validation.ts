import { type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/field-error.ts';
import { dns1123LabelErrors, pathSegmentNameErrors } from '../../machinery/validation/names.ts';
import { invalidEach } from '../core/pod-spec/invalid-each.ts';
import { compareQuantities } from '../core/pod-spec/quantities.ts';
import { validateContainerResourceName } from '../core/pod-spec/validate-resources.ts';
import { validateReference } from './reference-validation.ts';
import type {
  ContainerResourceMetricSource,
  ExternalMetricSource,
  MetricIdentifier,
  MetricSpec,
  MetricTarget,
  ObjectMetricSource,
  PodsMetricSource,
  ResourceMetricSource,
} from './v2.gen.ts';

const sourceTypes = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource'];

function validateQuantity(value: string | undefined, field: string): FieldError[] {
  if (value === undefined || compareQuantities(value, '0') > 0) return [];
  return [invalid(field, value, 'must be positive')];
}

function validateTarget(target: MetricTarget, field: string): FieldError[] {
  const { type, averageUtilization } = target;
  const errors: FieldError[] = [];
  if (!type) errors.push(required(`${field}.type`, 'must specify a metric target type'));
  if (!['Utilization', 'Value', 'AverageValue'].includes(type)) {
    errors.push(invalid(`${field}.type`, type, 'must be either Utilization, Value, or AverageValue'));
  }
  errors.push(
    ...validateQuantity(target.value, `${field}.value`),
    ...validateQuantity(target.averageValue, `${field}.averageValue`),
  );
  if (averageUtilization !== undefined && averageUtilization < 1) {
    errors.push(invalid(`${field}.averageUtilization`, averageUtilization, 'must be greater than 0'));
  }
  return errors;
}

function validateIdentifier({ name }: MetricIdentifier, field: string): FieldError[] {
  if (!name) return [required(`${field}.name`, 'must specify a metric name')];
  return invalidEach(`${field}.name`, name, pathSegmentNameErrors(name));
}

function validateObject(source: ObjectMetricSource, field: string): FieldError[] {
  const { target } = source;
  const errors = [
    ...validateReference(source.describedObject, `${field}.describedObject`, { coreGroup: 'allowed' }),
    ...validateIdentifier(source.metric, `${field}.metric`),
    ...validateTarget(target, `${field}.target`),
  ];
  if (target.value !== undefined || target.averageValue !== undefined) return errors;
  const detail = 'must set either a target value or averageValue';
  return [...errors, required(`${field}.target.averageValue`, detail)];
}

function validateExternal({ metric, target }: ExternalMetricSource, field: string): FieldError[] {
  const errors = [
    ...validateIdentifier(metric, `${field}.metric`),
    ...validateTarget(target, `${field}.target`),
  ];
  const value = target.value !== undefined;
  const average = target.averageValue !== undefined;
  if (!value && !average) {
    const detail = 'must set either a target value for metric or a per-pod target';
    errors.push(required(`${field}.target.averageValue`, detail));
  }
  if (value && average) {
    const detail = 'may not set both a target value for metric and a per-pod target';
    errors.push(forbidden(`${field}.target.value`, detail));
  }
  return errors;
}

function validatePods({ metric, target }: PodsMetricSource, field: string): FieldError[] {
  const errors = [
    ...validateIdentifier(metric, `${field}.metric`),
    ...validateTarget(target, `${field}.target`),
  ];
  if (target.averageValue !== undefined) return errors;
  return [...errors, required(`${field}.target.averageValue`, 'must specify a positive target averageValue')];
}

function validateUtilization(target: MetricTarget, field: string): FieldError[] {
  const errors = validateTarget(target, field);
  const utilization = target.averageUtilization !== undefined;
  const value = target.averageValue !== undefined;
  if (!utilization && !value) {
    const detail = 'must set either a target raw value or a target utilization';
    errors.push(required(`${field}.averageUtilization`, detail));
  }
  if (utilization && value) {
    const detail = 'may not set both a target raw value and a target utilization';
    errors.push(forbidden(`${field}.averageValue`, detail));
  }
  return errors;
}

function validateResource({ name, target }: ResourceMetricSource, field: string): FieldError[] {
  const errors = validateUtilization(target, `${field}.target`);
  return name ? errors : [required(`${field}.name`, 'must specify a resource name'), ...errors];
}

function validateContainerResource(source: ContainerResourceMetricSource, field: string): FieldError[] {
  const { name, container, target } = source;
  return [
    ...(name
      ? validateContainerResourceName(name, `${field}.name`)
      : [required(`${field}.name`, 'must specify a resource name')]),
    ...(container
      ? invalidEach(`${field}.container`, container, dns1123LabelErrors(container))
      : [required(`${field}.container`, 'must specify a container')]),
    ...validateUtilization(target, `${field}.target`),
  ];
}

/** The sources that are given, by field name in upstream's order, each with its errors. */
function sources(
  { object, external, pods, resource, containerResource }: MetricSpec,
  field: string,
): [string, () => FieldError[]][] {
  const found: [string, () => FieldError[]][] = [];
  if (object) found.push(['object', () => validateObject(object, `${field}.object`)]);
  if (external) found.push(['external', () => validateExternal(external, `${field}.external`)]);
  if (pods) found.push(['pods', () => validatePods(pods, `${field}.pods`)]);
  if (resource) found.push(['resource', () => validateResource(resource, `${field}.resource`)]);
  if (containerResource) {
    const at = `${field}.containerResource`;
    found.push(['containerResource', () => validateContainerResource(containerResource, at)]);
  }
  return found;
}

/** Everything wrong with one metric of an autoscaler. */
export function validateMetric(metric: MetricSpec, field: string): FieldError[] {
  const { type } = metric;
  const known = sourceTypes.includes(type);
  const present = sources(metric, field);
  const expected = known ? `${type.charAt(0).toLowerCase()}${type.slice(1)}` : undefined;
  const unsupported = notSupported(`${field}.type`, type, sourceTypes);
  const errors: FieldError[] = [];
  if (!type) errors.push(required(`${field}.type`, 'must specify a metric source type'));
  if (!known) errors.push(unsupported);
  errors.push(...(present[0]?.[1]() ?? []));
  if (expected === undefined) errors.push(unsupported);
  else if (!present.some(([name]) => name === expected)) {
    const detail = 'must populate information for the given metric source';
    errors.push(required(`${field}.${expected}`, detail));
  }
  if (present.length === 1) return errors;
  return [
    ...errors,
    ...present
      .filter(([name]) => name !== expected)
      .map(([name]) => forbidden(`${field}.${name}`, 'must populate the given metric source only')),
  ];
}
