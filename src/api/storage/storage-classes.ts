import {
  type FieldError,
  duplicate,
  invalid,
  notSupported,
  required,
  tooLong,
} from '../../machinery/field-error.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { qualifiedNameErrors } from '../../machinery/validation/names.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { deprecatedNodeLabel } from '../core/deprecated-node-labels.ts';
import { invalidEach } from '../core/pod-spec/invalid-each.ts';
import type { TopologySelectorTerm } from '../core/v1.gen.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { type StorageClass, storageclasses } from './v1.gen.ts';

const MAX_PARAMETERS = 512;
const MAX_PARAMETERS_BYTES = 256 * 1024;
const bindingModes = ['Immediate', 'WaitForFirstConsumer'];
const reclaimPolicies = ['Delete', 'Retain'];
const betaDefaultAnnotation = 'storageclass.beta.kubernetes.io/is-default-class';
const defaultAnnotation = 'storageclass.kubernetes.io/is-default-class';

/** Kinds of storage that claims ask for by name. */
export const storageClasses: ResourceDefinition<StorageClass> = defineResource<StorageClass>({
  storage: 'v1',
  versions: { v1: { type: storageclasses, schema: 'io.k8s.api.storage.v1.StorageClass', defaults } },
  returnsDeleted: true,
  validate: validateStorageClass,
  validateUpdate: (next, old) => [
    ...validateStorageClass(next),
    ...unchanged(next.parameters, old.parameters, 'parameters'),
    ...unchanged(next.provisioner, old.provisioner, 'provisioner'),
    ...unchanged(next.reclaimPolicy, old.reclaimPolicy, 'reclaimPolicy'),
    ...unchanged(next.volumeBindingMode, old.volumeBindingMode, 'volumeBindingMode'),
  ],
  warnings,
  columns: [
    {
      ...nameColumn<StorageClass>(),
      cell: ({ metadata }) =>
        isDefaultClass(metadata.annotations) ? `${metadata.name ?? ''} (default)` : (metadata.name ?? ''),
    },
    { name: 'Provisioner', type: 'string', cell: ({ provisioner }) => provisioner },
    { name: 'ReclaimPolicy', type: 'string', cell: ({ reclaimPolicy }) => reclaimPolicy ?? 'Delete' },
    {
      name: 'VolumeBindingMode',
      type: 'string',
      cell: ({ volumeBindingMode }) => volumeBindingMode ?? 'Immediate',
    },
    {
      name: 'AllowVolumeExpansion',
      type: 'string',
      cell: ({ allowVolumeExpansion }) => allowVolumeExpansion ?? false,
    },
    ageColumn(),
  ],
});

/** Whether claims without a class get this one. */
export function isDefaultClass(annotations: Readonly<Record<string, string>> | undefined): boolean {
  return annotations?.[defaultAnnotation] === 'true' || annotations?.[betaDefaultAnnotation] === 'true';
}

function defaults(storageClass: DeepMutable<StorageClass>): void {
  storageClass.reclaimPolicy ??= 'Delete';
  storageClass.volumeBindingMode ??= 'Immediate';
}

function unchanged(next: unknown, old: unknown, field: string): FieldError[] {
  return jsonEqual(next ?? {}, old ?? {}) ? [] : [invalid(field, next ?? null, 'field is immutable')];
}

function validateStorageClass(storageClass: StorageClass): FieldError[] {
  const { provisioner, parameters = {}, reclaimPolicy, volumeBindingMode, allowedTopologies } = storageClass;
  const mode: string | undefined = volumeBindingMode;
  const errors = provisioner
    ? invalidEach('provisioner', provisioner.toLowerCase(), qualifiedNameErrors(provisioner.toLowerCase()))
    : [required('provisioner')];
  errors.push(...validateParameters(parameters, 'any'));
  if (reclaimPolicy && !reclaimPolicies.includes(reclaimPolicy)) {
    errors.push(notSupported('reclaimPolicy', reclaimPolicy, reclaimPolicies));
  }
  if (mode === undefined) errors.push(required('volumeBindingMode'));
  else if (!bindingModes.includes(mode)) errors.push(notSupported('volumeBindingMode', mode, bindingModes));
  return [...errors, ...validateTopologies(allowedTopologies ?? [])];
}

/** What drivers are told: at most 512 pairs of together 256 KiB, and where it says so at least one. */
export function validateParameters(
  parameters: Readonly<Record<string, string>>,
  count: 'any' | 'some',
): FieldError[] {
  const pairs = Object.entries(parameters);
  if (pairs.length > MAX_PARAMETERS) return [tooLong('parameters', MAX_PARAMETERS)];
  const errors = pairs
    .filter(([key]) => key === '')
    .map(([key]) => invalid('parameters', key, 'field can not be empty.'));
  const bytes = pairs.reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0);
  if (bytes > MAX_PARAMETERS_BYTES) errors.push(tooLong('parameters', MAX_PARAMETERS_BYTES));
  if (count === 'some' && pairs.length === 0) {
    errors.push(required('parameters', 'must contain at least one key/value pair'));
  }
  return errors;
}

function validateTopologies(terms: readonly TopologySelectorTerm[]): FieldError[] {
  // Upstream compares with as many empty terms as there are terms, before it comes to the terms themselves.
  const seen: unknown[] = terms.map(() => ({}));
  return terms.flatMap((term, index) => {
    const path = `allowedTopologies[${index}]`;
    const errors = validateTerm(term, path);
    const values = Object.fromEntries(
      (term.matchLabelExpressions ?? []).map(({ key, values: all }) => [key, [...(all ?? [])].sort()]),
    );
    for (const other of seen) {
      if (jsonEqual(other, values)) errors.push(duplicate(`${path}.matchLabelExpressions`, ''));
    }
    seen.push(values);
    return errors;
  });
}

function validateTerm({ matchLabelExpressions = [] }: TopologySelectorTerm, path: string): FieldError[] {
  const keys = new Set<string>();
  return matchLabelExpressions.flatMap(({ key, values: given }, index) => {
    const values: readonly string[] = given ?? [];
    const at = `${path}.matchLabelExpressions[${index}]`;
    const seen = new Set<string>();
    const errors = values.length === 0 ? [required(`${at}.values`)] : [];
    for (const [position, value] of values.entries()) {
      if (seen.has(value)) errors.push(duplicate(`${at}.values[${position}]`, value));
      seen.add(value);
    }
    errors.push(...invalidEach(`${at}.key`, key, qualifiedNameErrors(key)));
    if (keys.has(key)) errors.push(duplicate(`${at}.key`, key));
    keys.add(key);
    return errors;
  });
}

function warnings({ metadata, allowedTopologies }: StorageClass): string[] {
  const found = (allowedTopologies ?? []).flatMap((term, index) =>
    (term.matchLabelExpressions ?? []).flatMap(({ key }, position) => {
      const detail = deprecatedNodeLabel(key);
      const at = `allowedTopologies[${index}].matchLabelExpressions[${position}].key`;
      return detail === undefined ? [] : [`${at}: ${detail}`];
    }),
  );
  return metadata.annotations?.[betaDefaultAnnotation] === undefined
    ? found
    : [
        ...found,
        `metadata.annotations[${betaDefaultAnnotation}]: deprecated since v1.6; use "${defaultAnnotation}" instead`,
      ];
}
