import { isIPv6 } from 'node:net';
import { type FieldError, invalid, notSupported, required } from '../../machinery/field-error.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import {
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  portNumberErrors,
  qualifiedNameErrors,
} from '../../machinery/validation/names.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { validateEndpointAddress } from '../validation/endpoint-address.ts';
import { validateIp } from './pod-spec/ip-address.ts';
import {
  type EndpointAddress,
  type EndpointPort,
  type Endpoints,
  endpoints as endpointsType,
  type EndpointSubset,
} from './v1.gen.ts';

const SHOWN_ENDPOINTS = 3;

/** The addresses behind a service, all in one object; endpoint slices are their successor. */
export const endpoints: ResourceDefinition<Endpoints> = defineResource<Endpoints>({
  storage: 'v1',
  storagePath: 'services/endpoints',
  versions: {
    v1: {
      type: endpointsType,
      schema: 'io.k8s.api.core.v1.Endpoints',
      defaults,
      deprecated: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
    },
  },
  createOnUpdate: true,
  validate: ({ subsets = [] }) => validateSubsets(subsets),
  validateUpdate: ({ subsets = [] }, old) =>
    jsonEqual(subsets, old.subsets ?? []) ? [] : validateSubsets(subsets),
  columns: [nameColumn(), { name: 'Endpoints', type: 'string', cell: printedEndpoints }, ageColumn()],
});

function defaults({ subsets = [] }: DeepMutable<Endpoints>): void {
  for (const { ports = [] } of subsets) {
    for (const port of ports) port.protocol ??= 'TCP';
  }
}

function validateSubsets(subsets: readonly EndpointSubset[]): FieldError[] {
  return subsets.flatMap((subset, index) => validateSubset(subset, `subsets[${index}]`));
}

function validateSubset(subset: EndpointSubset, path: string): FieldError[] {
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
  const errors: FieldError[] = [];
  if (addresses.length === 0 && notReadyAddresses.length === 0) {
    errors.push(required(path, 'must specify `addresses` or `notReadyAddresses`'));
  }
  return [
    ...errors,
    ...addresses.flatMap((address, index) => validateAddress(address, `${path}.addresses[${index}]`)),
    ...notReadyAddresses.flatMap((address, index) =>
      validateAddress(address, `${path}.notReadyAddresses[${index}]`),
    ),
    ...ports.flatMap((port, index) => [
      ...(ports.length > 1 && !port.name ? [required(`${path}.ports[${index}].name`)] : []),
      ...validatePort(port, `${path}.ports[${index}]`),
    ]),
  ];
}

function validateAddress({ ip, hostname, nodeName }: EndpointAddress, path: string): FieldError[] {
  return [
    ...validateIp(ip, `${path}.ip`),
    ...(hostname
      ? dns1123LabelErrors(hostname).map((message) => invalid(`${path}.hostname`, hostname, message))
      : []),
    ...(nodeName === undefined
      ? []
      : dns1123SubdomainErrors(nodeName).map((message) => invalid(`${path}.nodeName`, nodeName, message))),
    ...validateEndpointAddress(ip, `${path}.ip`),
  ];
}

function validatePort({ name, port, protocol, appProtocol }: EndpointPort, path: string): FieldError[] {
  const errors: FieldError[] = [];
  if (name) errors.push(...dns1123LabelErrors(name).map((message) => invalid(`${path}.name`, name, message)));
  errors.push(...portNumberErrors(port).map((message) => invalid(`${path}.port`, port, message)));
  if (!protocol) {
    errors.push(required(`${path}.protocol`));
  } else if (!['SCTP', 'TCP', 'UDP'].includes(protocol)) {
    errors.push(notSupported(`${path}.protocol`, protocol, ['SCTP', 'TCP', 'UDP']));
  }
  if (appProtocol !== undefined) {
    errors.push(
      ...qualifiedNameErrors(appProtocol).map((message) =>
        invalid(`${path}.appProtocol`, appProtocol, message),
      ),
    );
  }
  return errors;
}

/** At most three `ip:port`, and how many more there are; only addresses that are ready. */
function printedEndpoints({ subsets = [] }: Endpoints): string {
  const all = subsets.flatMap(({ addresses = [], ports = [] }) => {
    if (ports.length === 0) return addresses.map(({ ip }) => ip);
    return addresses.flatMap(({ ip }) => ports.map(({ port }) => `${isIPv6(ip) ? `[${ip}]` : ip}:${port}`));
  });
  if (all.length === 0) return '<none>';
  const more = all.length > SHOWN_ENDPOINTS ? ` + ${all.length - SHOWN_ENDPOINTS} more...` : '';
  return `${all.slice(0, SHOWN_ENDPOINTS).join(',')}${more}`;
}
