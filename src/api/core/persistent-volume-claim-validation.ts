import { type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/field-error.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { parseQuantity, quantityValue } from '../../machinery/quantity.ts';
import { qualifiedNameErrors } from '../../machinery/validation/names.ts';
import { internalCore } from './internal-types.ts';
import { invalidEach } from './pod-spec/invalid-each.ts';
import { compareQuantities, isWholeNumber } from './pod-spec/quantities.ts';
import { isNativeResource } from './pod-spec/resource-names.ts';
import { validateClaimSpec } from './pod-spec/validate-claim-spec.ts';
import { unifiedDiff } from './spec-diff.ts';
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from './v1.gen.ts';

const betaClass = 'volume.beta.kubernetes.io/storage-class';
const resizeStates = [
  'ControllerResizeInProgress',
  'ControllerResizeInfeasible',
  'NodeResizePending',
  'NodeResizeInProgress',
  'NodeResizeInfeasible',
];

/** Everything wrong with a claim. */
export function validateClaim({ spec }: PersistentVolumeClaim): FieldError[] {
  return validateClaimSpec(spec, 'spec');
}

/** The same for an update: of the spec only a bound claim's size and attributes may change. */
export function validateClaimUpdate(next: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const named = old.spec.dataSource?.apiGroup ?? old.spec.dataSourceRef?.apiGroup;
  const errors = validateClaimSpec(next.spec, 'spec', named === undefined ? 'valid' : 'any');
  errors.push(...validateSame(next, old));
  const oldSize = old.spec.resources?.requests?.['storage'] ?? '0';
  const newSize = next.spec.resources?.requests?.['storage'] ?? '0';
  const capacity = old.status?.capacity?.['storage'] ?? '0';
  if (compareQuantities(newSize, oldSize) < 0 && compareQuantities(newSize, capacity) <= 0) {
    const detail = 'field can not be less than status.capacity';
    errors.push(forbidden('spec.resources.requests.storage', detail));
  }
  if (next.spec.volumeMode !== old.spec.volumeMode) {
    errors.push(invalid('volumeMode', next.spec.volumeMode ?? null, 'field is immutable'));
  }
  return [...errors, ...droppedClass(next, old)];
}

/** A class of attributes that has been applied can be exchanged, but not taken away. */
function droppedClass(next: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const name = next.spec.volumeAttributesClassName;
  const isApplied = old.status?.currentVolumeAttributesClassName !== undefined;
  if (!isApplied || name === old.spec.volumeAttributesClassName || name) return [];
  const emptied = `update to ${name === undefined ? 'nil' : 'empty string'}`;
  const detail = `${emptied} is forbidden when status.currentVolumeAttributesClassName is not nil`;
  return [forbidden('spec.volumeAttributesClassName', detail)];
}

type Mutable = { -readonly [K in keyof PersistentVolumeClaimSpec]: PersistentVolumeClaimSpec[K] };

function validateSame(next: PersistentVolumeClaim, old: PersistentVolumeClaim): FieldError[] {
  const errors: FieldError[] = [];
  const before: Mutable = { ...old.spec };
  const after: Mutable = { ...next.spec };
  if (!old.spec.volumeName) assign(before, 'volumeName', next.spec.volumeName);
  if (isUpgradeFromAnnotation(next, old)) delete after.storageClassName;
  else {
    const annotation = next.metadata.annotations?.[betaClass] ?? '';
    if (annotation !== (old.metadata.annotations?.[betaClass] ?? '')) {
      errors.push(invalid(`metadata.annotations[${betaClass}]`, annotation, 'field is immutable'));
    }
    if (isUpgradeFromNone(next, old)) delete after.storageClassName;
  }
  const oldStorage = old.spec.resources?.requests?.['storage'];
  if (next.status?.phase === 'Bound' && after.resources?.requests && oldStorage !== undefined) {
    after.resources = {
      ...after.resources,
      requests: { ...after.resources.requests, storage: oldStorage },
    };
  }
  if (next.status?.phase === 'Bound')
    assign(after, 'volumeAttributesClassName', before.volumeAttributesClassName);
  const [shownBefore, shownAfter] = [before, after].map((spec) =>
    internalCore('PersistentVolumeClaimSpec', spec),
  );
  if (jsonEqual(shownAfter, shownBefore)) return errors;
  const detail =
    'spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims';
  const diff = unifiedDiff(shownBefore, shownAfter);
  return [...errors, forbidden('spec', `${detail}\n${diff}`)];
}

function assign<K extends 'volumeName' | 'volumeAttributesClassName'>(
  spec: Mutable,
  name: K,
  value: Mutable[K],
): void {
  if (value === undefined) delete spec[name];
  else spec[name] = value;
}

function isUpgradeFromAnnotation(next: PersistentVolumeClaim, old: PersistentVolumeClaim): boolean {
  const before = old.metadata.annotations?.[betaClass];
  const after = next.metadata.annotations?.[betaClass];
  return (
    before !== undefined &&
    old.spec.storageClassName === undefined &&
    next.spec.storageClassName === before &&
    (after === undefined || after === before)
  );
}

function isUpgradeFromNone(next: PersistentVolumeClaim, old: PersistentVolumeClaim): boolean {
  const before = old.metadata.annotations?.[betaClass];
  return (
    next.spec.storageClassName !== undefined &&
    old.spec.storageClassName === undefined &&
    (before === undefined || before === next.spec.storageClassName)
  );
}

function quantityErrors(value: string, field: string): FieldError[] {
  return compareQuantities(value, '0') < 0
    ? [invalid(field, quantityValue(parseQuantity(value)), 'must be a valid resource quantity')]
    : [];
}

function resourceKeyErrors(name: string, field: string): FieldError[] {
  const messages = qualifiedNameErrors(name);
  if (messages.length > 0) return invalidEach(field, name, messages);
  return isNativeResource(name) && name !== 'storage' ? [notSupported(field, name, ['storage'])] : [];
}

/** Everything wrong with the status of a claim. */
export function validateClaimStatus({ spec, status = {} }: PersistentVolumeClaim): FieldError[] {
  const errors: FieldError[] = spec.accessModes?.length ? [] : [required('Spec.accessModes')];
  for (const [name, value] of Object.entries(status.capacity ?? {})) {
    errors.push(...quantityErrors(value, `status.capacity[${name}]`));
  }
  const states = 'status.allocatedResourceStatuses';
  for (const [name, state] of Object.entries(status.allocatedResourceStatuses ?? {})) {
    errors.push(...resourceKeyErrors(name, states));
    if (!resizeStates.includes(state)) errors.push(notSupported(states, name, [...resizeStates].sort()));
  }
  for (const [name, value] of Object.entries(status.allocatedResources ?? {})) {
    const field = 'status.allocatedResources';
    const wrong = [...resourceKeyErrors(name, field)];
    if (wrong.length === 0) wrong.push(...quantityErrors(value, `${field}[${name}]`));
    if (wrong.length === 0 && !isWholeNumber(value)) {
      wrong.push(invalid(`${field}[${name}]`, value, 'must be an integer'));
    }
    errors.push(...wrong);
  }
  return errors;
}
