import {
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
} from '../../../machinery/field-error.ts';
import { validateLabelSelector } from '../../../machinery/selectors/label-selector.ts';
import { dns1123LabelErrors, dns1123SubdomainErrors } from '../../../machinery/validation/names.ts';
import { validateAnnotations, validateLabels } from '../../../machinery/validation/object-meta.ts';
import type {
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimTemplate,
  TypedLocalObjectReference,
  TypedObjectReference,
} from '../v1.gen.ts';
import { validateAccessModes } from '../access-modes.ts';
import { invalidEach } from './invalid-each.ts';
import { compareQuantities } from './quantities.ts';

const volumeModes = ['Block', 'Filesystem'];

/** Whether the update of a claim that refers to an API group may keep whatever group it names. */
type GroupCheck = 'any' | 'valid';

function validateSource(
  source: TypedLocalObjectReference | TypedObjectReference | undefined,
  field: string,
  groups: GroupCheck,
): FieldError[] {
  if (!source) return [];
  const { name, kind, apiGroup } = source;
  const errors: FieldError[] = [];
  if (!name) errors.push(required(`${field}.name`));
  if (!kind) errors.push(required(`${field}.kind`));
  if (!apiGroup && kind !== 'PersistentVolumeClaim') {
    const detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
    errors.push(invalid(field, kind ?? '', detail));
  }
  if (apiGroup && groups === 'valid') {
    errors.push(...invalidEach(`${field}.apiGroup`, apiGroup, dns1123SubdomainErrors(apiGroup)));
  }
  const namespace = 'namespace' in source ? source.namespace : undefined;
  if (namespace) errors.push(...invalidEach(`${field}.namespace`, namespace, dns1123LabelErrors(namespace)));
  return errors;
}

function validateSources(spec: PersistentVolumeClaimSpec, field: string, groups: GroupCheck): FieldError[] {
  const { dataSource, dataSourceRef } = spec;
  const errors = [
    ...validateSource(dataSource, `${field}.dataSource`, groups),
    ...validateSource(dataSourceRef, `${field}.dataSourceRef`, groups),
  ];
  if (!dataSource || !dataSourceRef) return errors;
  if (dataSourceRef.namespace) {
    return [...errors, invalid(field, {}, 'may not be specified when dataSourceRef.namespace is specified')];
  }
  const same =
    dataSource.apiGroup === dataSourceRef.apiGroup &&
    dataSource.kind === dataSourceRef.kind &&
    dataSource.name === dataSourceRef.name;
  return same ? errors : [...errors, invalid(field, {}, 'must match dataSourceRef')];
}

/** A claim's spec, stand-alone or of an ephemeral volume. */
export function validateClaimSpec(
  spec: PersistentVolumeClaimSpec,
  field: string,
  groups: GroupCheck = 'valid',
): FieldError[] {
  const { accessModes = [], storageClassName, volumeMode, resources } = spec;
  const attributes = spec.volumeAttributesClassName;
  const errors = [
    ...(accessModes.length > 0
      ? []
      : [required(`${field}.accessModes`, 'at least 1 access mode is required')]),
    ...validateLabelSelector(spec.selector, `${field}.selector`),
    ...validateAccessModes(accessModes, `${field}.accessModes`),
  ];
  const storage = resources?.requests?.['storage'];
  if (storage === undefined) errors.push(required(`${field}.resources[storage]`));
  else if (compareQuantities(storage, '0') <= 0) {
    errors.push(invalid(`${field}.resources[storage]`, storage, 'must be greater than zero'));
  }
  if (storageClassName) {
    const messages = dns1123SubdomainErrors(storageClassName);
    errors.push(...invalidEach(`${field}.storageClassName`, storageClassName, messages));
  }
  if (volumeMode !== undefined && !volumeModes.includes(volumeMode)) {
    errors.push(notSupported(`${field}.volumeMode`, volumeMode, volumeModes));
  }
  errors.push(...validateSources(spec, field, groups));
  if (attributes) {
    const messages = dns1123SubdomainErrors(attributes);
    errors.push(...invalidEach(`${field}.volumeAttributesClassName`, attributes, messages));
  }
  return errors;
}

/** The template of an ephemeral volume's claim; of its metadata only labels and annotations may be set. */
export function validateClaimTemplate(template: PersistentVolumeClaimTemplate, field: string): FieldError[] {
  const { labels, annotations, ...rest } = template.metadata ?? {};
  return [
    ...validateAnnotations(annotations, `${field}.metadata.annotations`),
    ...validateLabels(labels, `${field}.metadata.labels`),
    ...Object.keys(rest).map((name) => forbidden(`${field}.metadata.${name}`, 'cannot be set')),
    ...validateClaimSpec(template.spec, `${field}.spec`),
  ];
}
