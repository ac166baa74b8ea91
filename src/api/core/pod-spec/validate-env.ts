import { type FieldError, invalid, notFound, required } from '../../../machinery/field-error.ts';
import {
  configMapKeyErrors,
  dns1123SubdomainErrors,
  environmentNameErrors,
  nameRule,
} from '../../../machinery/validation/names.ts';
import type {
  ConfigMapKeySelector,
  EnvFromSource,
  EnvVar,
  FileKeySelector,
  VolumeSource,
} from '../v1.gen.ts';
import { invalidEach } from './invalid-each.ts';
import { backstepErrors } from './local-path.ts';
import { validateFieldRef, validateResourceFieldRef } from './validate-downward.ts';

const environmentFields = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];

const objectName = nameRule(dns1123SubdomainErrors);

function validateKeyRef(selector: ConfigMapKeySelector, field: string): FieldError[] {
  const name = selector.name ?? '';
  return [
    ...invalidEach(`${field}.name`, name, dns1123SubdomainErrors(name)),
    ...(selector.key
      ? invalidEach(`${field}.key`, selector.key, configMapKeyErrors(selector.key))
      : [required(`${field}.key`)]),
  ];
}

function validateFileKeyRef(
  selector: FileKeySelector,
  field: string,
  volumes: ReadonlyMap<string, VolumeSource>,
): FieldError[] {
  const errors: FieldError[] = [];
  if (selector.key)
    errors.push(...invalidEach(`${field}.key`, selector.key, environmentNameErrors(selector.key)));
  else errors.push(required(`${field}.key`));
  if (selector.volumeName) {
    const volume = volumes.get(selector.volumeName);
    if (!volume) errors.push(notFound(`${field}.volumeName`, selector.volumeName));
    else if (!volume.emptyDir) {
      const detail = 'referenced volume must be of type emptyDir';
      errors.push(invalid(`${field}.volumeName`, selector.volumeName, detail));
    }
  } else errors.push(required(`${field}.volumeName`));
  if (selector.path) errors.push(...backstepErrors(`${field}.path`, selector.path));
  else errors.push(required(`${field}.path`));
  return errors;
}

function validateValueFrom(
  variable: EnvVar,
  field: string,
  volumes: ReadonlyMap<string, VolumeSource>,
): FieldError[] {
  const source = variable.valueFrom;
  if (!source) return [];
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = source;
  const errors: FieldError[] = [];
  if (fieldRef) errors.push(...validateFieldRef(fieldRef, `${field}.fieldRef`, environmentFields));
  if (resourceFieldRef) {
    errors.push(...validateResourceFieldRef(resourceFieldRef, `${field}.resourceFieldRef`, 'env'));
  }
  if (configMapKeyRef) errors.push(...validateKeyRef(configMapKeyRef, `${field}.configMapKeyRef`));
  if (secretKeyRef) errors.push(...validateKeyRef(secretKeyRef, `${field}.secretKeyRef`));
  if (fileKeyRef) errors.push(...validateFileKeyRef(fileKeyRef, `${field}.fileKeyRef`, volumes));
  const sources = [fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef].filter(
    Boolean,
  ).length;
  if (sources === 0) {
    const kinds = '`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
    errors.push(invalid(field, '', `must specify one of: ${kinds}`));
  } else if (variable.value) {
    errors.push(invalid(field, '', 'may not be specified when `value` is not empty'));
  } else if (sources > 1) {
    errors.push(invalid(field, '', 'may not have more than one field specified at a time'));
  }
  return errors;
}

/** The variables of a container, one by one. */
export function validateEnv(
  variables: readonly EnvVar[],
  field: string,
  volumes: ReadonlyMap<string, VolumeSource>,
): FieldError[] {
  return variables.flatMap((variable, index) => [
    ...(variable.name
      ? invalidEach(`${field}[${index}].name`, variable.name, environmentNameErrors(variable.name))
      : [required(`${field}[${index}].name`)]),
    ...validateValueFrom(variable, `${field}[${index}].valueFrom`, volumes),
  ]);
}

function validateSourceName(name: string | undefined, field: string): FieldError[] {
  if (!name) return [required(`${field}.name`)];
  return invalidEach(`${field}.name`, name, objectName(name, { prefix: true }));
}

/** The config maps and secrets whose keys become variables. */
export function validateEnvFrom(sources: readonly EnvFromSource[], field: string): FieldError[] {
  return sources.flatMap(({ prefix, configMapRef, secretRef }, index) => {
    const errors: FieldError[] = [];
    if (prefix)
      errors.push(...invalidEach(`${field}[${index}].prefix`, prefix, environmentNameErrors(prefix)));
    if (configMapRef)
      errors.push(...validateSourceName(configMapRef.name, `${field}[${index}].configMapRef`));
    if (secretRef) errors.push(...validateSourceName(secretRef.name, `${field}[${index}].secretRef`));
    if (!configMapRef && !secretRef) {
      errors.push(invalid(field, '', 'must specify one of: `configMapRef` or `secretRef`'));
    } else if (configMapRef && secretRef) {
      errors.push(invalid(field, '', 'may not have more than one field specified at a time'));
    }
    return errors;
  });
}
