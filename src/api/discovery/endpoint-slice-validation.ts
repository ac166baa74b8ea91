import { isIP } from 'node:net';
import {
  duplicate,
  type FieldError,
  invalid,
  notSupported,
  required,
  tooMany,
} from '../../machinery/field-error.ts';
import {
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  labelValueErrors,
  qualifiedNameErrors,
} from '../../machinery/validation/names.ts';
import { validateImmutable } from '../../machinery/validation/object-meta.ts';
import { validateIp } from '../core/pod-spec/ip-address.ts';
import { validateEndpointAddress } from '../validation/endpoint-address.ts';
import type { Endpoint, EndpointHints, EndpointPort, EndpointSlice } from './v1.gen.ts';

const ADDRESS_TYPES = ['FQDN', 'IPv4', 'IPv6'];
const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
const MAX_ENDPOINTS = 1000;
const MAX_ADDRESSES = 100;
const MAX_PORTS = 20_000;
const MAX_HINTS = 8;

/** Everything wrong with a slice. */
export function validateEndpointSlice({ addressType, endpoints, ports }: EndpointSlice): FieldError[] {
  const errors: FieldError[] = [];
  if (addressType === '') errors.push(required('addressType'));
  else if (!ADDRESS_TYPES.includes(addressType)) {
    errors.push(notSupported('addressType', addressType, ADDRESS_TYPES));
  }
  return [...errors, ...validateEndpoints(endpoints ?? [], addressType), ...validatePorts(ports ?? [])];
}

/** The same for an update; the kind of addresses is fixed. */
export function validateEndpointSliceUpdate(next: EndpointSlice, old: EndpointSlice): FieldError[] {
  return [
    ...validateEndpointSlice(next),
    ...validateImmutable(next.addressType, old.addressType, 'addressType'),
  ];
}

function validateEndpoints(endpoints: readonly Endpoint[], addressType: string): FieldError[] {
  if (endpoints.length > MAX_ENDPOINTS) return [tooMany('endpoints', endpoints.length, MAX_ENDPOINTS)];
  return endpoints.flatMap((endpoint, index) =>
    validateEndpoint(endpoint, addressType, `endpoints[${index}]`),
  );
}

function validateEndpoint(endpoint: Endpoint, addressType: string, path: string): FieldError[] {
  const { hostname, nodeName, hints } = endpoint;
  const addresses: readonly string[] = endpoint.addresses ?? [];
  const errors: FieldError[] = [];
  if (addresses.length === 0) {
    errors.push(required(`${path}.addresses`, 'must contain at least 1 address'));
  } else if (addresses.length > MAX_ADDRESSES) {
    errors.push(tooMany(`${path}.addresses`, addresses.length, MAX_ADDRESSES));
  }
  for (const [index, address] of addresses.entries()) {
    errors.push(...validateAddress(address, addressType, { list: `${path}.addresses`, index }));
  }
  if (nodeName !== undefined) {
    errors.push(
      ...dns1123SubdomainErrors(nodeName).map((text) => invalid(`${path}.nodeName`, nodeName, text)),
    );
  }
  if (hints) errors.push(...validateHints(hints, `${path}.hints`));
  if (hostname !== undefined) {
    errors.push(...dns1123LabelErrors(hostname).map((text) => invalid(`${path}.hostname`, hostname, text)));
  }
  return errors;
}

function validateAddress(
  address: string,
  addressType: string,
  { list, index }: { readonly list: string; readonly index: number },
): FieldError[] {
  const path = `${list}[${index}]`;
  if (addressType === 'FQDN') return validateDomain(address, path);
  if (addressType !== 'IPv4' && addressType !== 'IPv6') return [];
  const errors = validateIp(address, path);
  if (errors.length > 0) return errors;
  const family = addressType === 'IPv4' ? 4 : 6;
  if (isIP(address) !== family) {
    errors.push(invalid(list, address, `must be an ${addressType} address`));
  } else if (family === 6 && canonicalIpv6(address) !== address) {
    errors.push(
      invalid(path, address, `must be in canonical form (${JSON.stringify(canonicalIpv6(address))})`),
    );
  }
  return [...errors, ...validateEndpointAddress(address, path)];
}

function canonicalIpv6(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

function validateDomain(name: string, path: string): FieldError[] {
  if (name === '') return [required(path)];
  const plain = name.replace(/\.$/, '');
  const errors = dns1123SubdomainErrors(plain);
  if (errors.length === 0 && !plain.includes('.')) {
    errors.push('should be a domain with at least two segments separated by dots');
  }
  return errors.map((message) => invalid(path, name, message));
}

function validateHints({ forZones = [], forNodes = [] }: EndpointHints, path: string): FieldError[] {
  return [
    ...validateHintNames(forZones, `${path}.forZones`, labelValueErrors),
    ...validateHintNames(forNodes, `${path}.forNodes`, dns1123SubdomainErrors),
  ];
}

function validateHintNames(
  hints: readonly { readonly name: string }[],
  path: string,
  nameErrors: (name: string) => string[],
): FieldError[] {
  if (hints.length > MAX_HINTS) return [tooMany(path, hints.length, MAX_HINTS)];
  return hints.flatMap(({ name }, index) => {
    const at = `${path}[${index}].name`;
    const seen = hints.slice(0, index).some((other) => other.name === name);
    return [
      ...(seen ? [duplicate(at, name)] : []),
      ...nameErrors(name).map((message) => invalid(at, name, message)),
    ];
  });
}

function validatePorts(ports: readonly EndpointPort[]): FieldError[] {
  if (ports.length > MAX_PORTS) return [tooMany('ports', ports.length, MAX_PORTS)];
  const names = new Set<string>();
  return ports.flatMap(({ name = '', protocol, appProtocol }, index) => {
    const path = `ports[${index}]`;
    const errors: FieldError[] = [];
    if (name !== '')
      errors.push(...dns1123LabelErrors(name).map((text) => invalid(`${path}.name`, name, text)));
    if (names.has(name)) errors.push(duplicate(`${path}.name`, name));
    names.add(name);
    if (protocol === undefined) errors.push(required(`${path}.protocol`));
    else if (!PROTOCOLS.includes(protocol))
      errors.push(notSupported(`${path}.protocol`, protocol, PROTOCOLS));
    if (appProtocol !== undefined) {
      errors.push(
        ...qualifiedNameErrors(appProtocol).map((text) => invalid(`${path}.appProtocol`, appProtocol, text)),
      );
    }
    return errors;
  });
}
