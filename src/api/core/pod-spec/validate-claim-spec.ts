import {
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
} from '../../../machinery/field-error.ts';
import { validateLabelSelector } from '../../../machinery/selectors/label-selector.ts';
import { dns1123SubdomainErrors } from '../../../machinery/validation/names.ts';
import { validateAnnotations, validateLabels } from '../../../machinery/validation/object-meta.ts';
import type {
  PersistentVolumeClaimSpec,
  PersistentVolumeClaimTemplate,
  TypedLocalObjectReference,
} from '../v1.gen.ts';
import { invalidEach } from './invalid-each.ts';
import { compareQuantities } from './quantities.ts';

const accessModes = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

function validateAccessModes(modes: readonly string[], field: string): FieldError[] {
  if (modes.length === 0) return [required(field, 'at least 1 access mode is required')];
  const errors = modes
    .filter((mode) => !accessModes.includes(mode))
    .map((mode) => notSupported(field, mode, accessModes));
  const others = modes.some((mode) => mode !== 'ReadWriteOncePod' && accessModes.includes(mode));
  if (modes.includes('ReadWriteOncePod') && others) {
    errors.push(forbidden(field, 'may not use ReadWriteOncePod with other access modes'));
  }
  return errors;
}

function validateSource(source: TypedLocalObjectReference | undefined, field: string): FieldError[] {
  if (!source) return [];
  const errors: FieldError[] = [];
  if (!source.name) errors.push(required(`${field}.name`));
  if (!source.kind) errors.push(required(`${field}.kind`));
  if (!source.apiGroup && source.kind !== 'PersistentVolumeClaim') {
    const detail = "must be 'PersistentVolumeClaim' when referencing the default apiGroup";
    errors.push(invalid(field, source.kind, detail));
  }
  return errors;
}

/** A claim's spec, stand-alone or of an ephemeral volume. */
function validateClaimSpec(spec: PersistentVolumeClaimSpec, field: string): FieldError[] {
  const { storageClassName, volumeMode, resources, dataSource, dataSourceRef } = spec;
  const errors = [
    ...validateAccessModes(spec.accessModes ?? [], `${field}.accessModes`),
    ...validateLabelSelector(spec.selector, `${field}.selector`),
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
  if (volumeMode !== undefined && !['Block', 'Filesystem'].includes(volumeMode)) {
    errors.push(notSupported(`${field}.volumeMode`, volumeMode, ['Block', 'Filesystem']));
  }
  return [
    ...errors,
    ...validateSource(dataSource, `${field}.dataSource`),
    ...validateSource(dataSourceRef, `${field}.dataSourceRef`),
  ];
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
