import { type FieldError, forbidden, invalid, required } from '../../machinery/field-error.ts';
import { addQuantities, formatQuantity, parseQuantity } from '../../machinery/quantity.ts';
import { compareQuantities } from '../core/pod-spec/quantities.ts';
import { validateSet } from './collections.ts';
import type { CapacityRequestPolicy, CapacityRequestPolicyRange, Device, DeviceCapacity } from './v1.gen.ts';

const MAX_OPTIONS = 10;

/** Everything wrong with one capacity of a device; only devices that are shared have a policy for requests. */
export function validateCapacity(capacity: DeviceCapacity, field: string, device: Device): FieldError[] {
  const policy = capacity.requestPolicy;
  const path = `${field}.requestPolicy`;
  if (!policy) return [];
  if (!device.allowMultipleAllocations) return [forbidden(path, 'allowMultipleAllocations must be true')];
  const { validValues = [], validRange } = policy;
  if (validValues.length > 0 && validRange) {
    const detail =
      'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time';
    return [forbidden(path, detail)];
  }
  if (validValues.length > 0) return validateValues(policy, capacity.value, path);
  return validRange ? validateRange(policy, validRange, { most: capacity.value, path }) : [];
}

function validateValues(policy: CapacityRequestPolicy, most: string, path: string): FieldError[] {
  const { validValues: values = [], default: standard } = policy;
  if (standard === undefined) {
    return [required(`${path}.default`, 'required when validValues is defined')];
  }
  const field = `${path}.validValues`;
  const errors = values.flatMap((value, index) => {
    const before = values[index - 1];
    const sorted = before === undefined || compareQuantities(before, value) <= 0;
    return sorted ? [] : [invalid(`${field}[${index}]`, value, 'values must be sorted in ascending order')];
  });
  const unique = validateSet(
    values,
    { field, max: MAX_OPTIONS, keyOf: (value) => formatQuantity(parseQuantity(value)) },
    (value, at) =>
      compareQuantities(value, most) > 0
        ? [invalid(at, value, `option is larger than capacity value: ${most}`)]
        : [],
  );
  errors.push(...unique);
  if (!values.some((value) => compareQuantities(value, standard) === 0)) {
    errors.push(invalid(field, standard, 'default value is not valid according to the requestPolicy'));
  }
  return errors;
}

function validateRange(
  { default: standard }: CapacityRequestPolicy,
  range: CapacityRequestPolicyRange,
  { most, path }: { readonly most: string; readonly path: string },
): FieldError[] {
  if (standard === undefined) return [required(`${path}.default`, 'required when validRange is defined')];
  const field = `${path}.validRange`;
  const { min, max } = range;
  if (min === undefined) return [required(`${field}.min`, 'required when validRange is defined')];
  const errors: FieldError[] = [];
  const above = (a: string, b: string): boolean => compareQuantities(a, b) > 0;
  if (above(min, most)) {
    errors.push(invalid(`${field}.min`, min, `min is larger than capacity value: ${most}`));
  }
  if (above(min, standard)) {
    errors.push(invalid(`${field}.default`, standard, `default is less than min: ${min}`));
  }
  if (max !== undefined) {
    if (above(min, max)) errors.push(invalid(`${field}.max`, min, `min is larger than max: ${max}`));
    if (above(max, most)) {
      errors.push(invalid(`${field}.max`, max, `max is larger than capacity value: ${most}`));
    }
    if (above(standard, max)) {
      errors.push(invalid(`${field}.default`, standard, `default is more than max: ${max}`));
    }
  }
  return [
    ...errors,
    ...validateStep(range, [standard, ...(max === undefined ? [] : [max])], { most, field }),
  ];
}

function validateStep(
  { min = '0', step }: CapacityRequestPolicyRange,
  values: readonly string[],
  { most, field }: { readonly most: string; readonly field: string },
): FieldError[] {
  if (step === undefined) return [];
  const size = parseQuantity(step).nanos;
  if (size <= 0n) return [invalid(`${field}.step`, step, 'must be greater than zero')];
  const first = formatQuantity(addQuantities(parseQuantity(min), parseQuantity(step)));
  const errors: FieldError[] = [];
  if (compareQuantities(first, most) > 0) {
    errors.push(invalid(`${field}.step`, step, `one step ${first} is larger than capacity value: ${most}`));
  }
  for (const value of values) {
    if ((parseQuantity(value).nanos - parseQuantity(min).nanos) % size === 0n) continue;
    const detail = `value is not a multiple of a given step (${step}) from (${min})`;
    errors.push(invalid(`${field}.step`, value, detail));
  }
  return errors;
}
