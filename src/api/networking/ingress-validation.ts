import { isIP } from 'node:net';
import { type FieldError, invalid, notSupported, required } from '../../machinery/field-error.ts';
import {
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  pathSegmentNameErrors,
  portNameErrors,
  portNumberErrors,
  wildcardSubdomainErrors,
} from '../../machinery/validation/names.ts';
import { invalidEach } from '../core/pod-spec/invalid-each.ts';
import { validateIp } from '../core/pod-spec/ip-address.ts';
import type {
  HTTPIngressPath,
  HTTPIngressRuleValue,
  Ingress,
  IngressBackend,
  IngressRule,
  IngressServiceBackend,
  IngressSpec,
} from './v1.gen.ts';

/** What an update may keep because the stored object already had it. */
interface Tolerance {
  readonly secretNames: 'any' | 'valid';
  readonly wildcardRules: 'any' | 'valid';
}

const strict: Tolerance = { secretNames: 'valid', wildcardRules: 'valid' };
const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix'];
const badSequences = ['//', '/./', '/../', '%2f', '%2F'];
const badSuffixes = ['/..', '/.'];
const classAnnotation = 'kubernetes.io/ingress.class';
const notAnAddress = 'must be a DNS name, not an IP address';

/** Everything wrong with a new ingress. */
export function validateIngress({ metadata, spec }: Ingress): FieldError[] {
  const errors = validateSpec(spec, strict);
  const annotation = metadata.annotations?.[classAnnotation];
  if (
    annotation !== undefined &&
    spec.ingressClassName !== undefined &&
    annotation !== spec.ingressClassName
  ) {
    const detail = 'must match `ingressClassName` when both are specified';
    errors.push(invalid(`annotations.${classAnnotation}`, annotation, detail));
  }
  return errors;
}

/** Everything wrong with an update of an ingress. */
export function validateIngressUpdate(next: Ingress, old: Ingress): FieldError[] {
  const secrets = (old.spec.tls ?? []).some(
    ({ secretName }) => secretName && dns1123SubdomainErrors(secretName).length > 0,
  );
  const rules = (old.spec.rules ?? []).some(
    ({ host, http }) => host?.includes('*') && http && validateHttp(http, '').length > 0,
  );
  return validateSpec(next.spec, {
    secretNames: secrets ? 'any' : 'valid',
    wildcardRules: rules ? 'any' : 'valid',
  });
}

/** Everything wrong with the status of an ingress. */
export function validateIngressStatus({ status }: Ingress, old: Ingress): FieldError[] {
  const known = new Set((old.status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip));
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, hostname }, index) => {
    const path = `status.loadBalancer.ingress[${index}]`;
    const errors = ip && !known.has(ip) ? validateIp(ip, `${path}.ip`) : [];
    if (!hostname) return errors;
    errors.push(...invalidEach(`${path}.hostname`, hostname, dns1123SubdomainErrors(hostname)));
    if (isIP(hostname) !== 0) errors.push(invalid(`${path}.hostname`, hostname, notAnAddress));
    return errors;
  });
}

function hostErrors(host: string): string[] {
  return host.includes('*') ? wildcardSubdomainErrors(host) : dns1123SubdomainErrors(host);
}

function validateSpec(spec: IngressSpec, tolerance: Tolerance): FieldError[] {
  const { rules = [], defaultBackend, ingressClassName } = spec;
  const errors: FieldError[] = [];
  if (rules.length === 0 && !defaultBackend) {
    errors.push(invalid('spec', spec.rules ?? null, 'either `defaultBackend` or `rules` must be specified'));
  }
  if (defaultBackend) errors.push(...validateBackend(defaultBackend, 'spec.defaultBackend'));
  for (const [index, rule] of rules.entries()) {
    errors.push(...validateRule(rule, `spec.rules[${index}]`, tolerance));
  }
  errors.push(...validateTls(spec, tolerance));
  if (ingressClassName !== undefined) {
    const messages = dns1123SubdomainErrors(ingressClassName);
    errors.push(...invalidEach('spec.ingressClassName', ingressClassName, messages));
  }
  return errors;
}

function validateTls({ tls = [] }: IngressSpec, { secretNames }: Tolerance): FieldError[] {
  return tls.flatMap(({ hosts = [], secretName }, index) => {
    const path = `spec.tls[${index}]`;
    const errors = hosts.flatMap((host, at) => invalidEach(`${path}.hosts[${at}]`, host, hostErrors(host)));
    if (!secretName || secretNames === 'any') return errors;
    return [...errors, ...invalidEach(`${path}.secretName`, secretName, dns1123SubdomainErrors(secretName))];
  });
}

function validateRule({ host, http }: IngressRule, path: string, { wildcardRules }: Tolerance): FieldError[] {
  const errors: FieldError[] = [];
  if (host) {
    if (isIP(host) !== 0) errors.push(invalid(`${path}.host`, host, notAnAddress));
    errors.push(...invalidEach(`${path}.host`, host, hostErrors(host)));
  }
  if (!http || (host?.includes('*') && wildcardRules === 'any')) return errors;
  return [...errors, ...validateHttp(http, `${path}.http`)];
}

function validateHttp({ paths: given }: HTTPIngressRuleValue, path: string): FieldError[] {
  const paths: readonly HTTPIngressPath[] = given ?? [];
  if (paths.length === 0) return [required(`${path}.paths`)];
  return paths.flatMap((one, index) => validatePath(one, `${path}.paths[${index}]`));
}

function validatePath({ path = '', pathType, backend }: HTTPIngressPath, field: string): FieldError[] {
  if (pathType === undefined) return [required(`${field}.pathType`, 'pathType must be specified')];
  const at = `${field}.path`;
  const errors: FieldError[] = [];
  if (pathType === 'Exact' || pathType === 'Prefix') {
    if (!path.startsWith('/')) errors.push(invalid(at, path, 'must be an absolute path'));
    for (const part of badSequences) {
      if (path.includes(part)) errors.push(invalid(at, path, `must not contain '${part}'`));
    }
    for (const part of badSuffixes) {
      if (path.endsWith(part)) errors.push(invalid(at, path, `cannot end with '${part}'`));
    }
  } else if (pathType === 'ImplementationSpecific') {
    if (path !== '' && !path.startsWith('/')) errors.push(invalid(at, path, 'must be an absolute path'));
  } else errors.push(notSupported(`${field}.pathType`, pathType, pathTypes));
  return [...errors, ...validateBackend(backend ?? {}, `${field}.backend`)];
}

function validateBackend({ resource, service }: IngressBackend, path: string): FieldError[] {
  if (resource && service) return [invalid(path, '', 'cannot set both resource and service backends')];
  if (resource) return validateReference(resource, `${path}.resource`);
  if (service) return validateService(service, path);
  return [invalid(path, '', 'resource or service backend is required')];
}

function validateService({ name, port = {} }: IngressServiceBackend, path: string): FieldError[] {
  const at = `${path}.service`;
  const errors =
    name === '' ? [required(`${at}.name`)] : invalidEach(`${at}.name`, name, dns1123LabelErrors(name));
  const { name: portName = '', number = 0 } = port;
  if (portName !== '' && number !== 0) {
    errors.push(invalid(path, '', 'cannot set both port name & port number'));
  } else if (portName !== '') {
    errors.push(...invalidEach(`${at}.port.name`, portName, portNameErrors(portName)));
  } else if (number !== 0) {
    errors.push(...invalidEach(`${at}.port.number`, number, portNumberErrors(number)));
  } else errors.push(required(path, 'port name or number is required'));
  return errors;
}

interface ObjectName {
  readonly apiGroup?: string;
  readonly kind: string;
  readonly name: string;
}

/** Group, kind and name of an object that a backend or class refers to. */
export function validateReference({ apiGroup, kind, name }: ObjectName, path: string): FieldError[] {
  return [
    ...(apiGroup === undefined
      ? []
      : invalidEach(`${path}.apiGroup`, apiGroup, dns1123SubdomainErrors(apiGroup))),
    ...(kind === ''
      ? [required(`${path}.kind`)]
      : invalidEach(`${path}.kind`, kind, pathSegmentNameErrors(kind))),
    ...(name === ''
      ? [required(`${path}.name`)]
      : invalidEach(`${path}.name`, name, pathSegmentNameErrors(name))),
  ];
}
