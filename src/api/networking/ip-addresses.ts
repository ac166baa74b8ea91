import { isIP } from 'node:net';
import { type FieldError, invalid, required } from '../../machinery/field-error.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { dns1123SubdomainErrors, pathSegmentNameErrors } from '../../machinery/validation/names.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { invalidEach } from '../core/pod-spec/invalid-each.ts';
import { validateIp } from '../core/pod-spec/ip-address.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { canonicalIpv6 } from '../validation/cidr.ts';
import { type IPAddress, type ParentReference, ipaddresses } from './v1.gen.ts';

/** Addresses that are in use, named by themselves, each with the object that uses it. */
export const ipAddresses: ResourceDefinition<IPAddress> = defineResource<IPAddress>({
  storage: 'v1',
  versions: { v1: { type: ipaddresses, schema: 'io.k8s.api.networking.v1.IPAddress' } },
  validateName: addressErrors,
  validate: ({ spec }) => validateParent(spec?.parentRef),
  validateUpdate: (next, old) =>
    jsonEqual(next.spec?.parentRef, old.spec?.parentRef)
      ? []
      : [invalid('spec.parentRef', goParent(next.spec?.parentRef), 'field is immutable')],
  selectableFields: {
    'spec.parentRef.group': ({ spec }) => spec?.parentRef?.group ?? '',
    'spec.parentRef.resource': ({ spec }) => spec?.parentRef?.resource ?? '',
    'spec.parentRef.namespace': ({ spec }) => spec?.parentRef?.namespace ?? '',
    'spec.parentRef.name': ({ spec }) => spec?.parentRef?.name ?? '',
  },
  columns: [
    nameColumn(),
    { name: 'ParentRef', type: 'string', cell: ({ spec }) => printParent(spec?.parentRef) },
    ageColumn(),
  ],
});

function addressErrors(name: string): string[] {
  const errors = validateIp(name, '').map(({ message }) => message.replace(/^Invalid value: ".*?": /, ''));
  if (errors.length > 0 || isIP(name) !== 6) return errors;
  const canonical = canonicalIpv6(name);
  return canonical === name ? [] : [`must be in canonical form ("${canonical}")`];
}

function goParent(parent: ParentReference | undefined): object | null {
  if (!parent) return null;
  const { group = '', resource = '', namespace = '', name = '' } = parent;
  return { Group: group, Resource: resource, Namespace: namespace, Name: name };
}

function printParent(parent: ParentReference | undefined): string {
  if (!parent) return '<none>';
  const { group = '', resource = '', namespace = '', name = '' } = parent;
  const type = group === '' ? resource : `${resource}.${group}`;
  return namespace === '' ? `${type}/${name}` : `${type}/${namespace}/${name}`;
}

function validateParent(parent: ParentReference | undefined): FieldError[] {
  const path = 'spec.parentRef';
  if (!parent) return [required(path)];
  const { group = '', resource = '', namespace = '', name = '' } = parent;
  const segment = (value: string, field: string): FieldError[] =>
    invalidEach(`${path}.${field}`, value, pathSegmentNameErrors(value));
  return [
    ...(group === '' ? [] : invalidEach(`${path}.group`, group, dns1123SubdomainErrors(group))),
    ...(resource === '' ? [required(`${path}.resource`)] : segment(resource, 'resource')),
    ...(name === '' ? [required(`${path}.name`)] : segment(name, 'name')),
    ...(namespace === '' ? [] : segment(namespace, 'namespace')),
  ];
}
