import { type FieldError, forbidden, invalid, notSupported, required } from '../../machinery/field-error.ts';
import { validateLabelSelector } from '../../machinery/selectors/label-selector.ts';
import { portNameErrors, portNumberErrors } from '../../machinery/validation/names.ts';
import { invalidEach } from '../core/pod-spec/invalid-each.ts';
import { isStrictSubset, parseCidr, validateStrictCidr } from '../validation/cidr.ts';
import type { IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from './v1.gen.ts';

const protocols = ['TCP', 'UDP', 'SCTP'];
const policyTypes = ['Ingress', 'Egress'];

/** Everything wrong with a policy. */
export function validateNetworkPolicy(policy: NetworkPolicy): FieldError[] {
  return validateSpec(policy, new Set());
}

/** The same for an update: address ranges that the stored policy has may stay as they are. */
export function validateNetworkPolicyUpdate(next: NetworkPolicy, old: NetworkPolicy): FieldError[] {
  const peers = [
    ...(old.spec.ingress ?? []).flatMap(({ from }) => from ?? []),
    ...(old.spec.egress ?? []).flatMap(({ to }) => to ?? []),
  ];
  const known = peers.flatMap(({ ipBlock }) => (ipBlock ? [ipBlock.cidr, ...(ipBlock.except ?? [])] : []));
  return validateSpec(next, new Set(known));
}

function validateSpec({ spec }: NetworkPolicy, known: ReadonlySet<string>): FieldError[] {
  const errors = validateLabelSelector(spec.podSelector, 'spec.podSelector');
  for (const [index, { ports, from }] of (spec.ingress ?? []).entries()) {
    const path = `spec.ingress[${index}]`;
    errors.push(...validatePorts(ports ?? [], path), ...validatePeers(from ?? [], `${path}.from`, known));
  }
  for (const [index, { ports, to }] of (spec.egress ?? []).entries()) {
    const path = `spec.egress[${index}]`;
    errors.push(...validatePorts(ports ?? [], path), ...validatePeers(to ?? [], `${path}.to`, known));
  }
  const types: readonly string[] = spec.policyTypes ?? [];
  if (types.length > policyTypes.length) {
    return [...errors, invalid('spec.policyTypes', types, 'may not specify more than two policyTypes')];
  }
  for (const [index, type] of types.entries()) {
    if (!policyTypes.includes(type)) {
      errors.push(notSupported(`spec.policyTypes[${index}]`, type, policyTypes));
    }
  }
  return errors;
}

function validatePorts(ports: readonly NetworkPolicyPort[], path: string): FieldError[] {
  return ports.flatMap((port, index) => validatePort(port, `${path}.ports[${index}]`));
}

function validatePort({ protocol, port, endPort }: NetworkPolicyPort, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const end = `${path}.endPort`;
  if (protocol !== undefined && !protocols.includes(protocol)) {
    errors.push(notSupported(`${path}.protocol`, protocol, protocols));
  }
  if (port === undefined) {
    return endPort === undefined
      ? errors
      : [...errors, invalid(end, endPort, 'may not be specified when `port` is not specified')];
  }
  if (typeof port === 'string') {
    if (endPort !== undefined) {
      errors.push(invalid(end, endPort, 'may not be specified when `port` is non-numeric'));
    }
    return [...errors, ...invalidEach(`${path}.port`, port, portNameErrors(port))];
  }
  errors.push(...invalidEach(`${path}.port`, port, portNumberErrors(port)));
  if (endPort === undefined) return errors;
  if (endPort < port) errors.push(invalid(end, endPort, 'must be greater than or equal to `port`'));
  return [...errors, ...invalidEach(end, endPort, portNumberErrors(endPort))];
}

function validatePeers(
  peers: readonly NetworkPolicyPeer[],
  path: string,
  known: ReadonlySet<string>,
): FieldError[] {
  return peers.flatMap(({ podSelector, namespaceSelector, ipBlock }, index) => {
    const at = `${path}[${index}]`;
    const errors = [
      ...validateLabelSelector(podSelector, `${at}.podSelector`),
      ...validateLabelSelector(namespaceSelector, `${at}.namespaceSelector`),
      ...(ipBlock ? validateBlock(ipBlock, `${at}.ipBlock`, known) : []),
    ];
    if (!podSelector && !namespaceSelector && !ipBlock) errors.push(required(at, 'must specify a peer'));
    else if (ipBlock && (podSelector ?? namespaceSelector)) {
      errors.push(forbidden(at, 'may not specify both ipBlock and another peer'));
    }
    return errors;
  });
}

function validateBlock(
  { cidr, except = [] }: IPBlock,
  path: string,
  known: ReadonlySet<string>,
): FieldError[] {
  if (cidr === '') return [required(`${path}.cidr`)];
  const errors = known.has(cidr) ? [] : validateStrictCidr(cidr, `${path}.cidr`);
  const whole = parseCidr(cidr);
  if (!whole) return errors;
  for (const [index, text] of except.entries()) {
    const at = `${path}.except[${index}]`;
    if (!known.has(text)) errors.push(...validateStrictCidr(text, at));
    const part = parseCidr(text);
    if (part && !isStrictSubset(part, whole)) {
      errors.push(invalid(at, text, 'must be a strict subset of `cidr`'));
    }
  }
  return errors;
}
