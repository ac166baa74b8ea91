import { type FieldError, invalid, required, tooLong } from '../../machinery/field-error.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { dns1123SubdomainErrors } from '../../machinery/validation/names.ts';
import { invalidEach } from '../core/pod-spec/invalid-each.ts';
import { validateNodeSelector } from '../core/pod-spec/validate-affinity.ts';
import { validateBindingConditions } from './binding-conditions.ts';
import { validateCapacity } from './capacity-validation.ts';
import { validateSet } from './collections.ts';
import { validateCounters } from './counter-validation.ts';
import { validateLabelName, validateQualifiedName } from './device-names.ts';
import { validateDeviceTaints } from './device-toleration.ts';
import type { Device, DeviceAttribute } from './v1.gen.ts';

const MAX_ATTRIBUTES = 32;
const MAX_VALUE = 64;
const MAX_CONSUMED_SETS = 2;
const semver =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/;
const perDevice =
  'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
const trueOrUnset = 'must be either unset or set to true';

/** What a device is checked against beside itself. */
export interface DeviceContext {
  readonly old: Device | undefined;
  /** Whether each device of the slice says itself where it is. */
  readonly nodes: 'device' | 'slice';
}

/** Everything wrong with one device of a slice. */
export function validateDevice(device: Device, field: string, { old, nodes }: DeviceContext): FieldError[] {
  const { attributes = {}, capacity = {} } = device;
  const errors = validateLabelName(device.name, `${field}.name`);
  const count = Object.keys(attributes).length + Object.keys(capacity).length;
  if (count > MAX_ATTRIBUTES) {
    const detail = `the total number of attributes and capacities must not exceed ${MAX_ATTRIBUTES}`;
    errors.push(invalid(field, count, detail));
  }
  for (const [name, attribute] of Object.entries(attributes)) {
    errors.push(...validateQualifiedName(name, `${field}.attributes`));
    errors.push(...validateAttribute(attribute, `${field}.attributes[${name}]`));
  }
  if (!old || !jsonEqual(old.capacity ?? {}, capacity)) {
    for (const [name, value] of Object.entries(capacity)) {
      errors.push(...validateQualifiedName(name, `${field}.capacity`));
      errors.push(...validateCapacity(value, `${field}.capacity[${name}]`, device));
    }
  }
  if (!old || !jsonEqual(old.taints ?? [], device.taints ?? [])) {
    errors.push(...validateDeviceTaints(device.taints, `${field}.taints`));
  }
  errors.push(
    ...validateSet(
      device.consumesCounters,
      {
        field: `${field}.consumesCounters`,
        max: MAX_CONSUMED_SETS,
        keyOf: ({ counterSet }) => counterSet,
      },
      ({ counterSet, counters }, path) => [
        ...(counterSet
          ? validateLabelName(counterSet, `${path}.counterSet`)
          : [required(`${path}.counterSet`)]),
        ...validateCounters(counters, `${path}.counters`),
      ],
    ),
  );
  return [
    ...errors,
    ...(nodes === 'device' ? validateOwnNodes(device, field) : validateNoNodes(device, field)),
    ...validateBindingConditions(device, field),
  ];
}

function validateAttribute(attribute: DeviceAttribute, field: string): FieldError[] {
  const { bool, int, string, version } = attribute;
  const errors: FieldError[] = [];
  if (string !== undefined && Buffer.byteLength(string) > MAX_VALUE) {
    errors.push(tooLong(`${field}.string`, MAX_VALUE));
  }
  if (version !== undefined) {
    if (!semver.test(version)) {
      const detail = 'must be a string compatible with semver.org spec 2.0.0';
      errors.push(invalid(`${field}.version`, version, detail));
    }
    if (Buffer.byteLength(version) > MAX_VALUE) errors.push(tooLong(`${field}.version`, MAX_VALUE));
  }
  const given = [bool, int, string, version].filter((value) => value !== undefined).length;
  if (given === 1) return errors;
  const shown =
    given === 0
      ? ''
      : {
          IntValue: int ?? null,
          BoolValue: bool ?? null,
          StringValue: string ?? null,
          VersionValue: version ?? null,
        };
  return [...errors, invalid(field, shown, 'exactly one value must be specified')];
}

function validateOwnNodes({ nodeName, nodeSelector, allNodes }: Device, field: string): FieldError[] {
  const errors: FieldError[] = [];
  const given: string[] = [];
  if (nodeName === '') errors.push(invalid(`${field}.nodeName`, nodeName, 'must not be empty'));
  else if (nodeName !== undefined) {
    given.push('`nodeName`');
    errors.push(...invalidEach(`${field}.nodeName`, nodeName, dns1123SubdomainErrors(nodeName)));
  }
  if (nodeSelector) {
    given.push('`nodeSelector`');
    errors.push(...validateNodeSelector(nodeSelector, `${field}.nodeSelector`));
  }
  if (allNodes) given.push('`allNodes`');
  else if (allNodes === false) errors.push(invalid(`${field}.allNodes`, allNodes, trueOrUnset));
  if (given.length === 0) errors.push(required(field, perDevice));
  if (given.length > 1) errors.push(invalid(field, `{${given.join(', ')}}`, perDevice));
  return errors;
}

function validateNoNodes({ nodeName, nodeSelector, allNodes }: Device, field: string): FieldError[] {
  if (nodeName === undefined && nodeSelector === undefined && allNodes === undefined) return [];
  const detail =
    '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec';
  return [invalid(field, null, detail)];
}
