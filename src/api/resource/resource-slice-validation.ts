import { type FieldError, invalid, required } from '../../machinery/field-error.ts';
import { dns1123SubdomainErrors } from '../../machinery/validation/names.ts';
import { validateImmutable } from '../../machinery/validation/object-meta.ts';
import { validateDriverName } from '../core/pod-spec/driver-name.ts';
import { invalidEach } from '../core/pod-spec/invalid-each.ts';
import { validateNodeSelector } from '../core/pod-spec/validate-affinity.ts';
import { validateSet } from './collections.ts';
import { validateCounters } from './counter-validation.ts';
import { validateLabelName, validatePoolName } from './device-names.ts';
import { validateDevice } from './device-validation.ts';
import type { ResourcePool, ResourceSlice, ResourceSliceSpec } from './v1.gen.ts';

const MAX_DEVICES = 128;
const MAX_INTRICATE_DEVICES = 64;
const MAX_COUNTER_SETS = 8;
const oneOf = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';
const trueOrUnset = 'must be either unset or set to true';

/** Everything wrong with a slice; `old` is given for an update. */
export function validateResourceSlice({ spec }: ResourceSlice, old?: ResourceSlice): FieldError[] {
  const { devices, sharedCounters, perDeviceNodeSelection } = spec;
  const intricate = (devices ?? []).some(
    ({ taints, consumesCounters }) => (taints?.length ?? 0) > 0 || (consumesCounters?.length ?? 0) > 0,
  );
  const errors = [
    ...validateDriverName(spec.driver, 'spec.driver'),
    ...validatePool(spec.pool),
    ...(old ? validateFixed(spec, old.spec) : []),
    ...validateNodes(spec),
  ];
  if (sharedCounters && devices) {
    errors.push(invalid('spec', '', 'only one of `sharedCounters` or `devices` is allowed'));
  }
  return [
    ...errors,
    ...validateSet(
      devices,
      {
        field: 'spec.devices',
        max: intricate ? MAX_INTRICATE_DEVICES : MAX_DEVICES,
        keyOf: ({ name }) => name,
      },
      (device, field) =>
        validateDevice(device, field, {
          old: old?.spec.devices?.find(({ name }) => name === device.name),
          nodes: perDeviceNodeSelection ? 'device' : 'slice',
        }),
    ),
    ...validateSet(
      sharedCounters,
      { field: 'spec.sharedCounters', max: MAX_COUNTER_SETS, keyOf: ({ name }) => name },
      ({ name, counters }, field) => [
        ...(name ? validateLabelName(name, `${field}.name`) : [required(`${field}.name`)]),
        ...validateCounters(counters, `${field}.counters`),
      ],
    ),
  ];
}

function validatePool({ name, generation, resourceSliceCount }: ResourcePool): FieldError[] {
  const errors = validatePoolName(name, 'spec.pool.name');
  if (resourceSliceCount <= 0) {
    errors.push(invalid('spec.pool.resourceSliceCount', resourceSliceCount, 'must be greater than zero'));
  }
  if (generation < 0) {
    errors.push(invalid('spec.pool.generation', generation, 'must be greater than or equal to zero'));
  }
  return errors;
}

function validateFixed(next: ResourceSliceSpec, old: ResourceSliceSpec): FieldError[] {
  return [
    ...validateImmutable(next.pool.name, old.pool.name, 'spec.pool.name'),
    ...validateImmutable(next.driver, old.driver, 'spec.driver'),
    ...validateImmutable(next.nodeName, old.nodeName, 'spec.nodeName'),
  ];
}

function validateNodes(spec: ResourceSliceSpec): FieldError[] {
  const { nodeName, nodeSelector } = spec;
  const errors: FieldError[] = [];
  const given: string[] = [];
  if (nodeName === '') {
    errors.push(invalid('spec.nodeName', nodeName, 'must be either unset or set to a non-empty string'));
  } else if (nodeName !== undefined) {
    given.push('`nodeName`');
    errors.push(...invalidEach('spec.nodeName', nodeName, dns1123SubdomainErrors(nodeName)));
  }
  if (nodeSelector) {
    given.push('`nodeSelector`');
    errors.push(...validateNodeSelector(nodeSelector, 'spec.nodeSelector'));
    const terms = nodeSelector.nodeSelectorTerms ?? [];
    if (terms.length !== 1) {
      const detail = 'must have exactly one node selector term';
      errors.push(invalid('spec.nodeSelector.nodeSelectorTerms', terms, detail));
    }
  }
  for (const name of ['allNodes', 'perDeviceNodeSelection'] as const) {
    if (spec[name]) given.push(`\`${name}\``);
    else if (spec[name] === false) errors.push(invalid(`spec.${name}`, false, trueOrUnset));
  }
  if (given.length === 0) errors.push(required('spec', oneOf));
  if (given.length > 1) {
    errors.push(invalid('spec', `{${given.join(', ')}}`, `${oneOf}, but multiple fields are set`));
  }
  return errors;
}
