import { isIP } from 'node:net';
import {
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
  tooLong,
  tooMany,
} from '../../machinery/field-error.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { validateDriverName } from '../core/pod-spec/driver-name.ts';
import { validateNodeSelector } from '../core/pod-spec/validate-affinity.ts';
import { canonicalIpv6, parseCidr } from '../validation/cidr.ts';
import { validateConditions } from '../validation/conditions.ts';
import { validateBindingConditions } from './binding-conditions.ts';
import { validateItems, validateSet } from './collections.ts';
import {
  requestNames,
  type RequestNames,
  validateConfiguration,
  validateRequestReference,
  validateRequestReferences,
} from './device-claim-validation.ts';
import { validateLabelName, validatePoolName, validateRawObject, validateUuid } from './device-names.ts';
import { validateDeviceTolerations } from './device-toleration.ts';
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceRequestAllocationResult,
  NetworkDeviceData,
  ResourceClaim,
  ResourceClaimConsumerReference,
} from './v1.gen.ts';

const MAX_CONSUMERS = 256;
const MAX_RESULTS = 32;
const MAX_CONFIG = 64;
const MAX_CONDITIONS = 8;
const MAX_DATA = 10 * 1024;
const MAX_IPS = 16;
const MAX_INTERFACE = 256;
const MAX_HARDWARE = 128;
const sources = ['FromClaim', 'FromClass'];

type Identified = Pick<AllocatedDeviceStatus, 'driver' | 'pool' | 'device' | 'shareID'>;

function goDeviceId({ driver, pool, device, shareID }: Identified): object {
  return { Driver: driver, Pool: pool, Device: device, ShareID: shareID ?? '' };
}

/** Everything wrong with a change of a claim's status. */
export function validateClaimStatus(next: ResourceClaim, old: ResourceClaim): FieldError[] {
  const { reservedFor = [], allocation, devices } = next.status ?? {};
  const allocated = new Set(
    (allocation?.devices?.results ?? []).map((result) => JSON.stringify(goDeviceId(result))),
  );
  const errors = [
    ...validateSet(
      reservedFor,
      { field: 'status.reservedFor', max: MAX_CONSUMERS, keyOf: ({ uid }) => uid },
      validateConsumer,
    ),
    ...validateSet(
      devices,
      { field: 'status.devices', keyOf: (device: AllocatedDeviceStatus) => goDeviceId(device) },
      (device, field) => validateDevice(device, field, allocated),
    ),
  ];
  if (reservedFor.length > 0 && !allocation) {
    errors.push(forbidden('status.reservedFor', 'may not be specified when `allocated` is not set'));
  } else if (reservedFor.length > 0 && next.metadata.deletionTimestamp) {
    const before = old.status?.reservedFor ?? [];
    if (reservedFor.some((consumer) => !before.some((other) => jsonEqual(consumer, other)))) {
      const detail =
        'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set';
      errors.push(forbidden('status.reservedFor', detail));
    }
  }
  if (!allocation) return errors;
  const before = old.status?.allocation;
  if (!before) {
    const names = requestNames(next.spec.devices);
    return [...errors, ...validateAllocation(allocation, 'status.allocation', names)];
  }
  return jsonEqual(before, allocation)
    ? errors
    : [...errors, invalid('status.allocation', allocation, 'field is immutable')];
}

function validateConsumer(consumer: ResourceClaimConsumerReference, field: string): FieldError[] {
  return (['resource', 'name', 'uid'] as const)
    .filter((name) => !consumer[name])
    .map((name) => required(`${field}.${name}`));
}

function validateDevice(
  status: AllocatedDeviceStatus,
  field: string,
  allocated: ReadonlySet<string>,
): FieldError[] {
  const { driver, pool, device, shareID, data, networkData } = status;
  const conditions = status.conditions ?? [];
  const errors = [
    ...validateDriverName(driver, `${field}.driver`),
    ...validatePoolName(pool, `${field}.pool`),
    ...validateLabelName(device, `${field}.device`),
    ...(shareID === undefined ? [] : validateUuid(shareID, `${field}.shareID`)),
  ];
  if (!allocated.has(JSON.stringify(goDeviceId(status)))) {
    errors.push(invalid(field, goDeviceId(status), 'must be an allocated device in the claim'));
  }
  if (conditions.length > MAX_CONDITIONS) {
    errors.push(tooMany(`${field}.conditions`, conditions.length, MAX_CONDITIONS));
  }
  errors.push(...validateConditions(conditions, `${field}.conditions`));
  if (data !== undefined) errors.push(...validateRawObject(data, `${field}.data`, MAX_DATA));
  return networkData ? [...errors, ...validateNetwork(networkData, `${field}.networkData`)] : errors;
}

function validateNetwork(data: NetworkDeviceData, field: string): FieldError[] {
  const { interfaceName = '', hardwareAddress = '', ips } = data;
  const errors: FieldError[] = [];
  if (Buffer.byteLength(interfaceName) > MAX_INTERFACE) {
    errors.push(tooLong(`${field}.interfaceName`, MAX_INTERFACE));
  }
  if (Buffer.byteLength(hardwareAddress) > MAX_HARDWARE) {
    errors.push(tooLong(`${field}.hardwareAddress`, MAX_HARDWARE));
  }
  const addresses = validateSet(
    ips,
    { field: `${field}.ips`, max: MAX_IPS, keyOf: (ip) => ip },
    validateInterfaceAddress,
  );
  return [...errors, ...addresses];
}

function validateInterfaceAddress(text: string, field: string): FieldError[] {
  const parsed = parseCidr(text);
  if (!parsed) {
    const detail = 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)';
    return [invalid(field, text, detail)];
  }
  const [written = ''] = text.split('/');
  const plain = written.replaceAll(/(^|\.)0+(?=\d)/g, '$1');
  const address = isIP(written) === 6 ? canonicalIpv6(written) : plain;
  const canonical = `${address}/${parsed.prefix}`;
  return canonical === text ? [] : [invalid(field, text, `must be in canonical form ("${canonical}")`)];
}

function validateAllocation(allocation: AllocationResult, field: string, names: RequestNames): FieldError[] {
  const { devices = {}, nodeSelector } = allocation;
  return [
    ...validateItems(
      devices.results,
      { field: `${field}.devices.results`, max: MAX_RESULTS },
      (result, path) => validateResult(result, path, names),
    ),
    ...validateItems(devices.config, { field: `${field}.devices.config`, max: MAX_CONFIG }, (config, path) =>
      validateAllocatedConfig(config, path, names),
    ),
    ...(nodeSelector ? validateNodeSelector(nodeSelector, `${field}.nodeSelector`) : []),
  ];
}

function validateResult(
  result: DeviceRequestAllocationResult,
  field: string,
  names: RequestNames,
): FieldError[] {
  return [
    ...validateRequestReference(result.request, `${field}.request`, names),
    ...validateDriverName(result.driver, `${field}.driver`),
    ...validatePoolName(result.pool, `${field}.pool`),
    ...validateLabelName(result.device, `${field}.device`),
    ...validateBindingConditions(result, field),
    ...validateDeviceTolerations(result.tolerations, `${field}.tolerations`),
    ...(result.shareID === undefined ? [] : validateUuid(result.shareID, `${field}.shareID`)),
  ];
}

function validateAllocatedConfig(
  config: DeviceAllocationConfiguration,
  field: string,
  names: RequestNames,
): FieldError[] {
  const source: string = config.source;
  const errors: FieldError[] = [];
  if (source === '') errors.push(required(`${field}.source`));
  else if (!sources.includes(source)) errors.push(notSupported(`${field}.source`, source, sources));
  return [
    ...errors,
    ...validateRequestReferences(config.requests, `${field}.requests`, names),
    ...validateConfiguration(config, field),
  ];
}
