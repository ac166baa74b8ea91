import { type FieldError, duplicate, forbidden, invalid, required } from '../../machinery/field-error.ts';
import {
  type Quantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  quantityMilliValue,
} from '../../machinery/quantity.ts';
import { qualifiedNameErrors } from '../../machinery/validation/names.ts';
import { invalidEach } from './pod-spec/invalid-each.ts';
import { mayOvercommit } from './pod-spec/resource-names.ts';
import { validateContainerResourceName, validateResourceName } from './pod-spec/validate-resources.ts';
import type { LimitRange, LimitRangeItem } from './v1.gen.ts';

type Amounts = Readonly<Record<string, string>>;

const standardTypes = new Set(['Pod', 'Container', 'PersistentVolumeClaim']);

function validateTypeName(type: string, field: string): FieldError[] {
  const messages = qualifiedNameErrors(type);
  if (messages.length > 0) return invalidEach(field, type, messages);
  if (type.includes('/') || standardTypes.has(type)) return [];
  return [invalid(field, type, 'must be a standard limit type or fully qualified')];
}

function validateNames(type: string, amounts: Amounts | undefined, field: string): FieldError[] {
  const check = type === 'Pod' || type === 'Container' ? validateContainerResourceName : validateResourceName;
  return Object.keys(amounts ?? {})
    .sort()
    .flatMap((name) => check(name, `${field}[${name}]`));
}

function validateLists(item: LimitRangeItem, field: string): FieldError[] {
  const { type } = item;
  const errors = [
    ...validateNames(type, item.max, `${field}.max`),
    ...validateNames(type, item.min, `${field}.min`),
  ];
  if (type === 'Pod') {
    const detail = "may not be specified when `type` is 'Pod'";
    if (Object.keys(item.default ?? {}).length > 0) errors.push(forbidden(`${field}.default`, detail));
    if (Object.keys(item.defaultRequest ?? {}).length > 0)
      errors.push(forbidden(`${field}.defaultRequest`, detail));
  } else {
    errors.push(
      ...validateNames(type, item.default, `${field}.default`),
      ...validateNames(type, item.defaultRequest, `${field}.defaultRequest`),
    );
  }
  if (type === 'PersistentVolumeClaim' && item.min?.['storage'] === undefined && !item.max?.['storage']) {
    const detail = 'either minimum or maximum storage value is required, but neither was provided';
    errors.push(required(`${field}.limits`, detail));
  }
  return [...errors, ...validateNames(type, item.maxLimitRequestRatio, `${field}.maxLimitRequestRatio`)];
}

function quantityOf(amounts: Amounts | undefined, name: string): Quantity | undefined {
  const text = amounts?.[name];
  return text === undefined ? undefined : parseQuantity(text);
}

function exceeds(a: Quantity | undefined, b: Quantity | undefined): boolean {
  return a !== undefined && b !== undefined && compareQuantities(a, b) > 0;
}

function validateAmounts(item: LimitRangeItem, name: string, field: string): FieldError[] {
  const own = item.type === 'Pod' ? { ...item, default: {}, defaultRequest: {} } : item;
  const min = quantityOf(own.min, name);
  const max = quantityOf(own.max, name);
  const request = quantityOf(own.defaultRequest, name);
  const limit = quantityOf(own.default, name);
  const ratio = quantityOf(own.maxLimitRequestRatio, name);
  const text = (quantity: Quantity | undefined): string => (quantity ? formatQuantity(quantity) : '0');
  const errors: FieldError[] = [];
  const wrong = (list: string, value: Quantity | undefined, detail: string): void => {
    errors.push(invalid(`${field}.${list}[${name}]`, text(value), detail));
  };
  if (exceeds(min, max)) wrong('min', min, `min value ${text(min)} is greater than max value ${text(max)}`);
  if (exceeds(min, request)) {
    wrong(
      'defaultRequest',
      request,
      `min value ${text(min)} is greater than default request value ${text(request)}`,
    );
  }
  if (exceeds(request, max)) {
    wrong(
      'defaultRequest',
      request,
      `default request value ${text(request)} is greater than max value ${text(max)}`,
    );
  }
  if (exceeds(request, limit)) {
    wrong(
      'defaultRequest',
      request,
      `default request value ${text(request)} is greater than default limit value ${text(limit)}`,
    );
  }
  if (exceeds(min, limit))
    wrong('default', min, `min value ${text(min)} is greater than default value ${text(limit)}`);
  if (exceeds(limit, max))
    wrong('default', max, `default value ${text(limit)} is greater than max value ${text(max)}`);
  if (exceeds({ nanos: 1_000_000_000n, format: 'DecimalSI' }, ratio))
    wrong('maxLimitRequestRatio', ratio, `ratio ${text(ratio)} is less than 1`);
  if (ratio && min && max) {
    const highest = Number(quantityMilliValue(max)) / Number(quantityMilliValue(min));
    if (Number(quantityMilliValue(ratio)) / 1000 > highest) {
      const detail = `ratio ${text(ratio)} is greater than max/min = ${highest.toFixed(6)}`;
      wrong('maxLimitRequestRatio', ratio, detail);
    }
  }
  if (!mayOvercommit(name) && limit && request && compareQuantities(limit, request) !== 0) {
    wrong(
      'defaultRequest',
      request,
      `default value ${text(limit)} must equal to defaultRequest value ${text(request)} in ${name}`,
    );
  }
  return errors;
}

/** `ValidateLimitRange` of upstream, without the metadata. */
export function validateLimitRange({ spec }: LimitRange): FieldError[] {
  const errors: FieldError[] = [];
  const types = new Set<string>();
  for (const [index, item] of (spec.limits ?? []).entries()) {
    const field = `spec.limits[${index}]`;
    errors.push(...validateTypeName(item.type, `${field}.type`));
    if (types.has(item.type)) errors.push(duplicate(`${field}.type`, item.type));
    types.add(item.type);
    errors.push(...validateLists(item, field));
    const defaults = item.type === 'Pod' ? {} : { ...item.default, ...item.defaultRequest };
    const names = new Set(
      Object.keys({ ...item.max, ...item.min, ...defaults, ...item.maxLimitRequestRatio }),
    );
    for (const name of [...names].sort()) errors.push(...validateAmounts(item, name, field));
  }
  return errors;
}
