import { posix } from 'node:path';
import { type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/field-error.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { parseQuantity, quantityValue } from '../../machinery/quantity.ts';
import { dns1123SubdomainErrors } from '../../machinery/validation/names.ts';
import { validateAccessModes } from './access-modes.ts';
import { validateVolumeSources } from './persistent-volume-sources.ts';
import { internalCore } from './internal-types.ts';
import { invalidEach } from './pod-spec/invalid-each.ts';
import { compareQuantities } from './pod-spec/quantities.ts';
import { validateNodeSelector } from './pod-spec/validate-affinity.ts';
import { unifiedDiff } from './spec-diff.ts';
import type { PersistentVolume, PersistentVolumeSource, PersistentVolumeSpec } from './v1.gen.ts';

const reclaimPolicies = ['Delete', 'Recycle', 'Retain'];
const volumeModes = ['Block', 'Filesystem'];

/** Where a volume is described: as an object of its own, or within the attachment of a volume. */
export interface VolumePlace {
  readonly field: string;
  readonly name: string;
  readonly within: 'object' | 'attachment';
}

/** Everything wrong with what a volume is. */
export function validatePersistentVolumeSpec(spec: PersistentVolumeSpec, place: VolumePlace): FieldError[] {
  const { field, name } = place;
  const inline = place.within === 'attachment';
  const { accessModes = [], nodeAffinity, hostPath } = spec;
  const policy: string = spec.persistentVolumeReclaimPolicy ?? '';
  const errors = [
    ...(inline ? inlineErrors(spec, field) : []),
    ...(accessModes.length > 0 ? [] : [required(`${field}.accessModes`)]),
    ...validateAccessModes(accessModes, `${field}.accessModes`),
    ...(inline ? [] : validateCapacity(spec, `${field}.capacity`)),
  ];
  if (policy && inline && policy !== 'Retain') {
    const detail = 'may only be Retain in the context of inline volumes';
    errors.push(forbidden(`${field}.persistentVolumeReclaimPolicy`, detail));
  } else if (policy && !inline && !reclaimPolicies.includes(policy)) {
    errors.push(notSupported(`${field}.persistentVolumeReclaimPolicy`, policy, reclaimPolicies));
  }
  if (nodeAffinity && inline) {
    errors.push(forbidden(`${field}.nodeAffinity`, 'may not be specified in the context of inline volumes'));
  } else if (nodeAffinity) errors.push(...validateVolumeAffinity(spec, `${field}.nodeAffinity`));
  const hasNodeAffinity = nodeAffinity !== undefined && !inline;
  errors.push(...validateVolumeSources(spec, { field, name, hasNodeAffinity }));
  if (hostPath && posix.normalize(hostPath.path).replace(/(.)\/$/, '$1') === '/' && policy === 'Recycle') {
    const detail = "may not be 'recycle' for a hostPath mount of '/'";
    errors.push(forbidden(`${field}.persistentVolumeReclaimPolicy`, detail));
  }
  return [...errors, ...validateClasses(spec, place)];
}

function inlineErrors(spec: PersistentVolumeSpec, field: string): FieldError[] {
  const detail = 'may not be specified in the context of inline volumes';
  return [
    ...(spec.claimRef ? [forbidden(`${field}.claimRef`, detail)] : []),
    ...(Object.keys(spec.capacity ?? {}).length > 0 ? [forbidden(`${field}.capacity`, detail)] : []),
    ...(spec.csi ? [] : [required(`${field}.csi`, 'has to be specified in the context of inline volumes')]),
  ];
}

function validateCapacity({ capacity }: PersistentVolumeSpec, field: string): FieldError[] {
  const entries = Object.entries(capacity ?? {});
  const errors: FieldError[] = entries.length > 0 ? [] : [required(field)];
  if (capacity?.['storage'] === undefined || entries.length > 1) {
    errors.push(notSupported(field, capacity ?? null, ['storage']));
  }
  for (const [name, value] of entries) {
    const at = `${field}[${name}]`;
    if (compareQuantities(value, '0') < 0) {
      errors.push(invalid(at, quantityValue(parseQuantity(value)), 'must be a valid resource quantity'));
    }
    if (compareQuantities(value, '0') <= 0) errors.push(invalid(at, value, 'must be greater than zero'));
  }
  return errors;
}

function validateVolumeAffinity({ nodeAffinity }: PersistentVolumeSpec, field: string): FieldError[] {
  const selector = nodeAffinity?.required;
  return selector
    ? validateNodeSelector(selector, `${field}.required`)
    : [required(`${field}.required`, 'must specify required node constraints')];
}

function validateClasses(spec: PersistentVolumeSpec, { field, within }: VolumePlace): FieldError[] {
  const { storageClassName, volumeMode, volumeAttributesClassName: attributes } = spec;
  const errors: FieldError[] = [];
  const inline = within === 'attachment';
  if (storageClassName && inline) {
    errors.push(
      forbidden(`${field}.storageClassName`, 'may not be specified in the context of inline volumes'),
    );
  } else if (storageClassName) {
    const messages = dns1123SubdomainErrors(storageClassName);
    errors.push(...invalidEach(`${field}.storageClassName`, storageClassName, messages));
  }
  if (volumeMode !== undefined && inline && volumeMode !== 'Filesystem') {
    const detail = 'may not specify volumeMode other than Filesystem in the context of inline volumes';
    errors.push(forbidden(`${field}.volumeMode`, detail));
  } else if (volumeMode !== undefined && !inline && !volumeModes.includes(volumeMode)) {
    errors.push(notSupported(`${field}.volumeMode`, volumeMode, volumeModes));
  }
  if (attributes === undefined) return errors;
  const at = `${field}.volumeAttributesClassName`;
  if (attributes === '') errors.push(required(at, 'an empty string is disallowed'));
  else errors.push(...invalidEach(at, attributes, dns1123SubdomainErrors(attributes)));
  if (!spec.csi) {
    errors.push(required(`${field}.csi`, 'has to be specified when using volumeAttributesClassName'));
  }
  return errors;
}

/** Everything wrong with a volume. */
export function validatePersistentVolume({ metadata, spec }: PersistentVolume): FieldError[] {
  return validatePersistentVolumeSpec(spec, { field: 'spec', name: metadata.name ?? '', within: 'object' });
}

/** The same for an update: what the volume is stays. */
export function validatePersistentVolumeUpdate(next: PersistentVolume, old: PersistentVolume): FieldError[] {
  const errors = validatePersistentVolume(next);
  const before = internalCore('PersistentVolumeSource', old.spec);
  const after = internalCore('PersistentVolumeSource', withoutNewExpandSecret(next.spec, old.spec));
  if (!jsonEqual(after, before)) {
    const detail = 'spec.persistentvolumesource is immutable after creation';
    errors.push(forbidden('spec.persistentvolumesource', `${detail}\n${unifiedDiff(before, after)}`));
  }
  if (next.spec.volumeMode !== old.spec.volumeMode) {
    errors.push(invalid('volumeMode', next.spec.volumeMode, 'field is immutable'));
  }
  if (old.spec.nodeAffinity && !jsonEqual(next.spec.nodeAffinity, old.spec.nodeAffinity)) {
    const detail = 'field is immutable, except for updating from beta label to GA';
    const affinity = next.spec.nodeAffinity;
    const shown = affinity && internalCore('VolumeNodeAffinity', affinity);
    errors.push(invalid('nodeAffinity', shown, detail));
  }
  if (old.spec.volumeAttributesClassName !== undefined && next.spec.volumeAttributesClassName === undefined) {
    errors.push(forbidden('spec.volumeAttributesClassName', 'update from non-nil value to nil is forbidden'));
  }
  return errors;
}

function withoutNewExpandSecret(
  next: PersistentVolumeSpec,
  old: PersistentVolumeSource,
): PersistentVolumeSpec {
  if (!next.csi || !old.csi || old.csi.controllerExpandSecretRef) return next;
  const { controllerExpandSecretRef: _added, ...csi } = next.csi;
  return { ...next, csi };
}
