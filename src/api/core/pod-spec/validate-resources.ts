import {
  type FieldError,
  duplicate,
  forbidden,
  invalid,
  notFound,
  notSupported,
  required,
} from '../../../machinery/field-error.ts';
import { dns1123LabelErrors, qualifiedNameErrors } from '../../../machinery/validation/names.ts';
import type { Container, PodSpec, ResourceClaim, ResourceRequirements } from '../v1.gen.ts';
import { compareQuantities, isWholeNumber, isZeroOrMultiple } from './quantities.ts';
import { invalidEach } from './invalid-each.ts';
import { aggregateRequests, isPodLevelResource } from './pod-level-resources.ts';
import {
  isExtendedResource,
  isHugePage,
  isIntegerResource,
  isNativeResource,
  isStandardContainerResource,
  isStandardResource,
  mayOvercommit,
} from './resource-names.ts';

type ResourceList = Readonly<Record<string, string>>;
type NameCheck = (name: string, field: string) => FieldError[];

/** Everything wrong with the name of a resource: a standard one, or one of a domain. */
export function validateResourceName(name: string, field: string): FieldError[] {
  const messages = qualifiedNameErrors(name);
  if (messages.length > 0) return invalidEach(field, name, messages);
  if (name.includes('/') || isStandardResource(name)) return [];
  return [invalid(field, name, 'must be a standard resource type or fully qualified')];
}

/** Everything wrong with the name of a resource that containers request. */
export function validateContainerResourceName(name: string, field: string): FieldError[] {
  const errors = validateResourceName(name, field);
  if (!name.includes('/')) {
    if (!isStandardContainerResource(name)) {
      errors.push(invalid(field, name, 'must be a standard resource for containers'));
    }
  } else if (!isNativeResource(name) && !isExtendedResource(name)) {
    errors.push(invalid(field, name, "doesn't follow extended resource name standard"));
  }
  return errors;
}

function validatePodResourceName(name: string, field: string): FieldError[] {
  const errors = validateResourceName(name, field);
  if (errors.length > 0 || isPodLevelResource(name)) return errors;
  return [notSupported(field, name, ['cpu', 'hugepages-', 'memory'])];
}

/** A quantity that may not be negative, and must be whole for resources that are counted. */
export function validateQuantity(name: string, value: string, field: string): FieldError[] {
  const errors: FieldError[] = [];
  if (compareQuantities(value, '0') < 0) {
    errors.push(invalid(field, value, 'must be greater than or equal to 0'));
  }
  if (isIntegerResource(name) && !isWholeNumber(value))
    errors.push(invalid(field, value, 'must be an integer'));
  return errors;
}

function validateList(list: ResourceList, field: string, checkName: NameCheck): FieldError[] {
  return Object.entries(list).flatMap(([name, value]) =>
    validateEntry(name, value, `${field}[${name}]`, checkName),
  );
}

function validateEntry(name: string, value: string, field: string, checkName: NameCheck): FieldError[] {
  const errors = [...checkName(name, field), ...validateQuantity(name, value, field)];
  if (isHugePage(name) && !isZeroOrMultiple(value, name.slice('hugepages-'.length))) {
    errors.push(invalid(field, value, `${value} is not positive integer multiple of ${name}`));
  }
  return errors;
}

function compareWithLimit(
  name: string,
  request: string,
  field: string,
  limit: string | undefined,
): FieldError[] {
  if (limit === undefined) {
    if (mayOvercommit(name)) return [];
    return [required(`${field}.limits`, 'Limit must be set for non overcommitable resources')];
  }
  const order = compareQuantities(request, limit);
  if (order !== 0 && !mayOvercommit(name)) {
    return [invalid(`${field}.requests`, request, `must be equal to ${name} limit of ${limit}`)];
  }
  if (order <= 0) return [];
  return [invalid(`${field}.requests`, request, `must be less than or equal to ${name} limit of ${limit}`)];
}

function validateRequirements(
  requirements: ResourceRequirements,
  field: string,
  checkName: NameCheck,
  claimNames: ReadonlySet<string>,
): FieldError[] {
  const { limits = {}, requests = {}, claims = [] } = requirements;
  const errors = validateList(limits, `${field}.limits`, checkName);
  for (const [name, request] of Object.entries(requests)) {
    const at = `${field}.requests[${name}]`;
    errors.push(
      ...validateEntry(name, request, at, checkName),
      ...compareWithLimit(name, request, field, limits[name]),
    );
  }
  const names = [...Object.keys(limits), ...Object.keys(requests)];
  if (names.some(isHugePage) && !names.some((name) => name === 'cpu' || name === 'memory')) {
    errors.push(forbidden(field, 'HugePages require cpu or memory'));
  }
  return [...errors, ...validateClaims(claims, `${field}.claims`, claimNames)];
}

function validateClaims(
  claims: readonly ResourceClaim[],
  field: string,
  podClaims: ReadonlySet<string>,
): FieldError[] {
  const errors: FieldError[] = [];
  const used = new Set<string>();
  for (const [index, { name, request }] of claims.entries()) {
    const at = `${field}[${index}]`;
    if (!name) {
      errors.push(required(at));
      continue;
    }
    const key = request ? `${name}/${request}` : name;
    if (used.has(name)) errors.push(duplicate(at, name));
    else {
      if (request) errors.push(...invalidEach(`${at}.request`, request, dns1123LabelErrors(request)));
      const overlaps = [...used].some((other) => (request ? other === key : other.startsWith(`${name}/`)));
      if (overlaps) errors.push(duplicate(at, key));
      used.add(key);
    }
    if (!podClaims.has(name)) {
      const rest = podClaims.size === 0 ? ' which is empty' : `: ${[...podClaims].sort().join(', ')}`;
      const error = notFound(at, name);
      const message = `${error.message}: must be one of the names in pod.spec.resourceClaims${rest}`;
      errors.push({ ...error, message });
    }
  }
  return errors;
}

/** Requests and limits of one container. */
export function validateContainerResources(
  requirements: ResourceRequirements | undefined,
  field: string,
  claimNames: ReadonlySet<string> = new Set(),
): FieldError[] {
  if (!requirements) return [];
  return validateRequirements(requirements, field, validateContainerResourceName, claimNames);
}

function validateAgainstContainers(spec: PodSpec, field: string): FieldError[] {
  const { limits = {}, requests = {} } = spec.resources ?? {};
  const errors: FieldError[] = [];
  for (const [name, total] of Object.entries(aggregateRequests(spec))) {
    const own = requests[name] ?? '0';
    if (compareQuantities(total, own) > 0) {
      const detail = `must be greater than or equal to aggregate container requests of ${total}`;
      errors.push(invalid(`${field}.requests[${name}]`, own, detail));
    }
  }
  const exceeding = (container: Container, at: string): FieldError[] =>
    Object.entries(container.resources?.limits ?? {}).flatMap(([name, value]) => {
      const limit = limits[name];
      if (limit === undefined || compareQuantities(value, limit) <= 0) return [];
      return [
        invalid(`${at}[${name}].limits`, value, `must be less than or equal to pod limits of ${limit}`),
      ];
    });
  for (const [index, container] of spec.containers.entries()) {
    errors.push(...exceeding(container, `${field}.containers[${index}]`));
  }
  return errors;
}

/** `spec.resources`: resources of the pod as a whole. */
export function validatePodLevelResources(spec: PodSpec, field: string): FieldError[] {
  if (!spec.resources) return [];
  const claims = spec.resources.claims
    ? [forbidden(`${field}.claims`, 'claims cannot be set for Resources at pod-level')]
    : [];
  return [
    ...claims,
    ...validateRequirements(spec.resources, field, validatePodResourceName, new Set()),
    ...validateAgainstContainers(spec, field),
  ];
}
