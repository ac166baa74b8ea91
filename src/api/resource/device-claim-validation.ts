import { type FieldError, invalid, notSupported, required } from '../../machinery/field-error.ts';
import { dns1123SubdomainErrors } from '../../machinery/validation/names.ts';
import { validateDriverName } from '../core/pod-spec/driver-name.ts';
import { invalidEach } from '../core/pod-spec/invalid-each.ts';
import { validateItems, validateSet } from './collections.ts';
import { validateFullyQualifiedName, validateLabelName, validateRawObject } from './device-names.ts';
import { validateSelectors } from './device-selector.ts';
import { validateDeviceTolerations } from './device-toleration.ts';
import type {
  DeviceClaim,
  DeviceConfiguration,
  DeviceConstraint,
  DeviceRequest,
  ExactDeviceRequest,
  ResourceClaimSpec,
} from './v1.gen.ts';

const MAX_REQUESTS = 32;
const MAX_ALTERNATIVES = 8;
const MAX_CONSTRAINTS = 32;
const MAX_CONFIG = 32;
const MAX_PARAMETERS = 10 * 1024;
const allocationModes = ['All', 'ExactCount'];
const oneOf = 'exactly one of `exactly` or `firstAvailable` is required';
const noRequest =
  "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'";

/** The requests of a claim, each with its alternatives. */
export type RequestNames = ReadonlyMap<string, ReadonlySet<string>>;

/** What results, constraints and configurations of a claim may refer to. */
export function requestNames({ requests }: DeviceClaim): RequestNames {
  return new Map(
    (requests ?? []).map(({ name, firstAvailable }) => [
      name,
      new Set((firstAvailable ?? []).map((alternative) => alternative.name)),
    ]),
  );
}

/** Everything wrong with what a claim asks for. */
export function validateClaimSpec(spec: ResourceClaimSpec, field: string): FieldError[] {
  const devices = spec.devices ?? { requests: [] };
  const path = `${field}.devices`;
  const names = requestNames(devices);
  return [
    ...validateSet(
      devices.requests,
      { field: `${path}.requests`, max: MAX_REQUESTS, keyOf: ({ name }) => name },
      validateRequest,
    ),
    ...validateItems(
      devices.constraints,
      { field: `${path}.constraints`, max: MAX_CONSTRAINTS },
      (constraint, at) => validateConstraint(constraint, at, names),
    ),
    ...validateItems(devices.config, { field: `${path}.config`, max: MAX_CONFIG }, (config, at) => [
      ...validateRequestReferences(config.requests, `${at}.requests`, names),
      ...validateConfiguration(config, at),
    ]),
  ];
}

function validateRequest({ name, exactly, firstAvailable = [] }: DeviceRequest, field: string): FieldError[] {
  const errors = validateLabelName(name, `${field}.name`);
  if (!exactly && firstAvailable.length === 0) return [...errors, required(field, oneOf)];
  if (exactly && firstAvailable.length > 0) {
    return [...errors, invalid(field, null, `${oneOf}, but multiple fields are set`)];
  }
  if (exactly) return [...errors, ...validateExact(exactly, `${field}.exactly`)];
  const alternatives = validateSet(
    firstAvailable,
    { field: `${field}.firstAvailable`, max: MAX_ALTERNATIVES, keyOf: (alternative) => alternative.name },
    (alternative, path) => [
      ...validateLabelName(alternative.name, `${path}.name`),
      ...validateExact(alternative, path),
    ],
  );
  return [...errors, ...alternatives];
}

function validateExact(request: Omit<ExactDeviceRequest, 'adminAccess'>, field: string): FieldError[] {
  const { deviceClassName, allocationMode = '', count = 0 } = request;
  const errors = deviceClassName
    ? invalidEach(`${field}.deviceClassName`, deviceClassName, dns1123SubdomainErrors(deviceClassName))
    : [required(`${field}.deviceClassName`)];
  errors.push(...validateSelectors(request.selectors, `${field}.selectors`));
  if (allocationMode === 'All') {
    if (count !== 0) {
      const detail = "must not be specified when allocationMode is 'All'";
      errors.push(invalid(`${field}.count`, count, detail));
    }
  } else if (allocationMode === 'ExactCount') {
    if (count <= 0) errors.push(invalid(`${field}.count`, count, 'must be greater than zero'));
  } else errors.push(notSupported(`${field}.allocationMode`, allocationMode, allocationModes));
  return [...errors, ...validateDeviceTolerations(request.tolerations, `${field}.tolerations`)];
}

function validateConstraint(
  { requests, matchAttribute, distinctAttribute }: DeviceConstraint,
  field: string,
  names: RequestNames,
): FieldError[] {
  const errors = validateRequestReferences(requests, `${field}.requests`, names);
  if (matchAttribute !== undefined) {
    return [...errors, ...validateFullyQualifiedName(matchAttribute, `${field}.matchAttribute`)];
  }
  if (distinctAttribute !== undefined) {
    return [...errors, ...validateFullyQualifiedName(distinctAttribute, `${field}.distinctAttribute`)];
  }
  const detail =
    'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set';
  return [...errors, required(field, detail)];
}

/** A list of names of requests or of their alternatives (`request/alternative`), each once. */
export function validateRequestReferences(
  requests: readonly string[] | undefined,
  field: string,
  names: RequestNames,
): FieldError[] {
  return validateSet(requests, { field, max: MAX_REQUESTS, keyOf: (name) => name }, (name, path) =>
    validateRequestReference(name, path, names),
  );
}

/** The name of a request or of one of its alternatives. */
export function validateRequestReference(name: string, field: string, names: RequestNames): FieldError[] {
  const [request = '', alternative, ...rest] = name.split('/');
  if (rest.length > 0) return [invalid(field, name, noRequest)];
  const errors = [request, ...(alternative === undefined ? [] : [alternative])].flatMap((segment) =>
    validateLabelName(segment, field),
  );
  const alternatives = names.get(request);
  const known = alternatives && (alternative === undefined || alternatives.has(alternative));
  return known ? errors : [...errors, invalid(field, name, noRequest)];
}

/** Parameters for one driver. */
export function validateConfiguration({ opaque }: DeviceConfiguration, field: string): FieldError[] {
  if (!opaque) return [required(`${field}.opaque`)];
  return [
    ...validateDriverName(opaque.driver, `${field}.opaque.driver`),
    ...validateRawObject(opaque.parameters, `${field}.opaque.parameters`, MAX_PARAMETERS),
  ];
}
