import { type FieldError, invalid, notSupported, required } from '../../../machinery/field-error.ts';
import { qualifiedNameErrors } from '../../../machinery/validation/names.ts';
import type { DownwardAPIVolumeFile, ObjectFieldSelector, ResourceFieldSelector } from '../v1.gen.ts';
import { invalidEach } from './invalid-each.ts';
import { nonReservedPathErrors } from './local-path.ts';

const convertibleFields = new Set([
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.restartPolicy',
  'spec.serviceAccountName',
  'spec.schedulerName',
  'status.phase',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
]);
const renamedFields: Readonly<Record<string, string>> = {
  'spec.host': 'spec.nodeName',
};

const volumeFields = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];

const resources = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];

const sizes = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

const divisors: readonly {
  readonly of: RegExp;
  readonly allowed: readonly string[];
  readonly detail: string;
}[] = [
  {
    of: /\.cpu$/,
    allowed: ['1m', '1'],
    detail: "only divisor's values 1m and 1 are supported with the cpu resource",
  },
  {
    of: /\.memory$/,
    allowed: sizes,
    detail: `only divisor's values ${sizes.join(', ')} are supported with the memory resource`,
  },
  {
    of: /\.ephemeral-storage$/,
    allowed: sizes,
    detail: `only divisor's values ${sizes.join(', ')} are supported with the local ephemeral storage resource`,
  },
  {
    of: /\.hugepages-/,
    allowed: sizes,
    detail: `only divisor's values ${sizes.join(', ')} are supported with the hugepages resource`,
  },
];

/** A reference to a field of the pod; `supported` lists the plain paths that may be used here. */
export function validateFieldRef(
  reference: ObjectFieldSelector,
  field: string,
  supported: readonly string[],
): FieldError[] {
  if (!reference.apiVersion) return [required(`${field}.apiVersion`)];
  if (!reference.fieldPath) return [required(`${field}.fieldPath`)];
  const given = reference.fieldPath;
  const subscripted = /^(?<path>[^[\]']+)\['(?<key>.*)'\]$/s.exec(given)?.groups;
  const path = subscripted?.['path'] ?? renamedFields[given] ?? given;
  const problem =
    reference.apiVersion === 'v1'
      ? !convertibleFields.has(path) && !subscripted && `field label not supported: ${given}`
      : `unsupported pod version: ${reference.apiVersion}`;
  if (problem) return [invalid(`${field}.fieldPath`, given, `error converting fieldPath: ${problem}`)];
  if (subscripted) {
    const key = subscripted['key'] ?? '';
    if (path === 'metadata.annotations') {
      return invalidEach(field, key.toLowerCase(), qualifiedNameErrors(key.toLowerCase()));
    }
    if (path === 'metadata.labels') return invalidEach(field, key, qualifiedNameErrors(key));
    const detail = `error converting fieldPath: field label does not support subscript: ${given}`;
    return [invalid(`${field}.fieldPath`, given, detail)];
  }
  return supported.includes(path) ? [] : [notSupported(`${field}.fieldPath`, path, supported)];
}

/** A reference to a container's limits or requests; a volume must say of which container. */
export function validateResourceFieldRef(
  reference: ResourceFieldSelector,
  field: string,
  where: 'env' | 'volume',
): FieldError[] {
  const errors: FieldError[] = [];
  const { containerName, resource, divisor = '0' } = reference;
  if (where === 'volume' && !containerName) errors.push(required(`${field}.containerName`));
  else if (!resource) errors.push(required(`${field}.resource`));
  else if (!resources.includes(resource) && !/^(requests|limits)\.hugepages-/.test(resource)) {
    errors.push(notSupported(`${field}.resource`, resource, resources));
  }
  if (divisor === '0') return errors;
  for (const { of, allowed, detail } of divisors) {
    if (of.test(resource) && !allowed.includes(divisor))
      errors.push(invalid(`${field}.divisor`, resource, detail));
  }
  return errors;
}

/** One file of a downward API volume or projection. */
export function validateDownwardFile(file: DownwardAPIVolumeFile, field: string): FieldError[] {
  const errors = file.path ? [] : [required(`${field}.path`)];
  errors.push(...nonReservedPathErrors(`${field}.path`, file.path ?? ''));
  if (file.fieldRef) {
    errors.push(...validateFieldRef(file.fieldRef, `${field}.fieldRef`, volumeFields));
    if (file.resourceFieldRef) {
      errors.push(
        invalid(field, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'),
      );
    }
  } else if (file.resourceFieldRef) {
    errors.push(...validateResourceFieldRef(file.resourceFieldRef, `${field}.resourceFieldRef`, 'volume'));
  } else errors.push(required(field, 'one of fieldRef and resourceFieldRef is required'));
  return [...errors, ...fileModeErrors(`${field}.mode`, file.mode)];
}

/** A file mode from 0 to 0777. */
export function fileModeErrors(field: string, mode: number | undefined): FieldError[] {
  if (mode === undefined || (mode >= 0 && mode <= 0o777)) return [];
  return [invalid(field, mode, 'must be a number between 0 and 0777 (octal), both inclusive')];
}
