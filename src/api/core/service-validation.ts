import {
  type FieldError,
  duplicate,
  forbidden,
  invalid,
  notSupported,
  required,
} from '../../machinery/field-error.ts';
import {
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  portNumberErrors,
  qualifiedNameErrors,
} from '../../machinery/validation/names.ts';
import { validateLabels } from '../../machinery/validation/object-meta.ts';
import { validateStrictCidr } from '../validation/cidr.ts';
import { invalidEach } from './pod-spec/invalid-each.ts';
import { validateIp } from './pod-spec/ip-address.ts';
import { validateProtocol } from './pod-spec/validate-containers.ts';
import { validatePortNumberOrName } from './pod-spec/validate-probes.ts';
import { validateClusterIps } from './service-addresses.ts';
import { isExternallyAccessible, isHeadless, needsHealthCheck } from './service-defaults.ts';
import type { Service, ServicePort } from './v1.gen.ts';

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'];
const trafficPolicies = ['Cluster', 'Local'];
const distributions = ['PreferClose', 'PreferSameZone', 'PreferSameNode'];
const sourceRanges = 'service.beta.kubernetes.io/load-balancer-source-ranges';
const topologyMode = 'service.kubernetes.io/topology-mode';
const topologyHints = 'service.kubernetes.io/topology-aware-hints';
const maxAffinitySeconds = 86_400;

function validateTopologyAnnotations({ metadata }: Service): FieldError[] {
  const mode = metadata.annotations?.[topologyMode];
  const hints = metadata.annotations?.[topologyHints];
  if (mode === undefined || hints === undefined || mode === hints) return [];
  const detail = `must match annotations[${topologyHints}] when both are specified`;
  return [invalid(`metadata.annotations[${topologyMode}]`, mode, detail)];
}

function validateType(service: Service): FieldError[] {
  const { spec } = service;
  const type: string = spec.type ?? '';
  const errors: FieldError[] = [];
  if (!spec.ports?.length && !isHeadless(service) && type !== 'ExternalName')
    errors.push(required('spec.ports'));
  if ((type === 'LoadBalancer' || type === 'NodePort') && isHeadless(service)) {
    errors.push(invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${type} services`));
  }
  if (type !== 'ExternalName') return errors;
  const refused = 'may not be set for ExternalName services';
  if (spec.clusterIPs?.length) errors.push(forbidden('spec.clusterIPs', refused));
  if (spec.ipFamilies?.length) errors.push(forbidden('spec.ipFamilies', refused));
  if (spec.ipFamilyPolicy !== undefined) errors.push(forbidden('spec.ipFamilyPolicy', refused));
  const name = (spec.externalName ?? '').replace(/\.$/, '');
  if (!name) errors.push(required('spec.externalName'));
  else errors.push(...invalidEach('spec.externalName', name, dns1123SubdomainErrors(name)));
  return errors;
}

function validatePort(port: ServicePort, field: string, names: Set<string>): FieldError[] {
  const errors: FieldError[] = [];
  const { name, port: number, protocol = '', targetPort, appProtocol } = port;
  if (name) {
    errors.push(...invalidEach(`${field}.name`, name, dns1123LabelErrors(name)));
    if (names.has(name)) errors.push(duplicate(`${field}.name`, name));
    names.add(name);
  }
  errors.push(
    ...invalidEach(`${field}.port`, number, portNumberErrors(number)),
    ...validateProtocol(protocol, `${field}.protocol`),
    ...validatePortNumberOrName(targetPort, `${field}.targetPort`),
  );
  if (appProtocol === undefined) return errors;
  return [...errors, ...invalidEach(`${field}.appProtocol`, appProtocol, qualifiedNameErrors(appProtocol))];
}

function validatePorts({ spec }: Service): FieldError[] {
  const names = new Set<string>();
  const ports = spec.ports ?? [];
  return ports.flatMap((port, index) => {
    const field = `spec.ports[${index}]`;
    const unnamed = ports.length > 1 && !port.name ? [required(`${field}.name`)] : [];
    return [...unnamed, ...validatePort(port, field, names)];
  });
}

function validateAffinity({ spec }: Service): FieldError[] {
  const affinity: string = spec.sessionAffinity ?? '';
  if (!affinity) return [required('spec.sessionAffinity')];
  if (!['ClientIP', 'None'].includes(affinity)) {
    return [notSupported('spec.sessionAffinity', affinity, ['ClientIP', 'None'])];
  }
  const field = 'spec.sessionAffinityConfig';
  const config = spec.sessionAffinityConfig;
  if (affinity === 'None') {
    return config ? [forbidden(field, 'must not be set when session affinity is None')] : [];
  }
  const timeout = config?.clientIP?.timeoutSeconds;
  const detail = 'when session affinity type is ClientIP';
  if (!config) return [required(field, detail)];
  if (!config.clientIP) return [required(`${field}.clientIP`, detail)];
  if (timeout === undefined) return [required(`${field}.clientIP.timeoutSeconds`, detail)];
  if (timeout > 0 && timeout <= maxAffinitySeconds) return [];
  const range = `must be greater than 0 and less than ${maxAffinitySeconds}`;
  return [invalid(`${field}.clientIP.timeoutSeconds`, timeout, range)];
}

/** Addresses that no service or endpoint may have: unspecified, loopback, link-local. */
function validateNonSpecialIp(ip: string, field: string): FieldError[] {
  const lower = ip.toLowerCase();
  if (ip === '0.0.0.0' || lower === '::') return [invalid(field, ip, `may not be unspecified (${ip})`)];
  if (ip.startsWith('127.') || lower === '::1') {
    return [invalid(field, ip, 'may not be in the loopback range (127.0.0.0/8, ::1/128)')];
  }
  if (ip.startsWith('169.254.') || /^fe[89ab]/.test(lower)) {
    return [invalid(field, ip, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)')];
  }
  if (ip.startsWith('224.0.0.') || lower.startsWith('ff02')) {
    return [invalid(field, ip, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)')];
  }
  return [];
}

function validateExternalIps({ spec }: Service): FieldError[] {
  return (spec.externalIPs ?? []).flatMap((ip, index) => {
    const field = `spec.externalIPs[${index}]`;
    const errors = validateIp(ip, field);
    return errors.length > 0 ? errors : validateNonSpecialIp(ip, field);
  });
}

function validateUniquePorts({ spec }: Service): FieldError[] {
  const ports = (spec.ports ?? []).map((port, index) => ({ ...port, field: `spec.ports[${index}]` }));
  const errors: FieldError[] = [];
  if (spec.type === 'ClusterIP') {
    for (const { nodePort, field } of ports) {
      if (nodePort) errors.push(forbidden(`${field}.nodePort`, "may not be used when `type` is 'ClusterIP'"));
    }
  }
  const nodePorts = new Set<string>();
  for (const { nodePort, protocol, field } of ports) {
    const key = `${protocol}/${nodePort}`;
    if (nodePort && nodePorts.has(key)) errors.push(duplicate(`${field}.nodePort`, nodePort));
    if (nodePort) nodePorts.add(key);
  }
  const pairs = new Set<string>();
  for (const { port, protocol, field } of ports) {
    const key = `${protocol}/${port}`;
    if (pairs.has(key)) {
      const shown = {
        Name: '',
        Protocol: protocol,
        AppProtocol: null,
        Port: port,
        TargetPort: 0,
        NodePort: 0,
      };
      errors.push(duplicate(field, shown));
    }
    pairs.add(key);
  }
  return errors;
}

function validateSourceRanges({ spec, metadata }: Service): FieldError[] {
  const only = "may only be used when `type` is 'LoadBalancer'";
  const ranges = spec.loadBalancerSourceRanges ?? [];
  const balanced = spec.type === 'LoadBalancer';
  if (ranges.length > 0) {
    const field = 'spec.LoadBalancerSourceRanges';
    return [
      ...(balanced ? [] : [forbidden(field, only)]),
      ...ranges.flatMap((range, index) => validateStrictCidr(range.trim(), `${field}[${index}]`)),
    ];
  }
  const annotated = metadata.annotations?.[sourceRanges];
  if (annotated === undefined) return [];
  const field = `metadata.annotations[${sourceRanges}]`;
  const given = annotated.trim();
  return [
    ...(balanced ? [] : [forbidden(field, only)]),
    ...(given ? given.split(',').flatMap((range) => validateStrictCidr(range.trim(), field)) : []),
  ];
}

function validateLoadBalancer({ spec }: Service): FieldError[] {
  const errors: FieldError[] = [];
  const balanced = spec.type === 'LoadBalancer';
  const only = "may only be used when `type` is 'LoadBalancer'";
  if (spec.allocateLoadBalancerNodePorts !== undefined && !balanced) {
    errors.push(forbidden('spec.allocateLoadBalancerNodePorts', only));
  }
  const className = spec.loadBalancerClass;
  if (className === undefined) return errors;
  if (!balanced) return [...errors, forbidden('spec.loadBalancerClass', only)];
  return [...errors, ...invalidEach('spec.loadBalancerClass', className, qualifiedNameErrors(className))];
}

function validateTrafficPolicies(service: Service): FieldError[] {
  const { spec } = service;
  const errors: FieldError[] = [];
  const external: string = spec.externalTrafficPolicy ?? '';
  const field = 'spec.externalTrafficPolicy';
  if (!isExternallyAccessible(service)) {
    if (external) errors.push(invalid(field, external, 'may only be set for externally-accessible services'));
  } else if (!external) errors.push(required(field));
  else if (!trafficPolicies.includes(external)) errors.push(notSupported(field, external, trafficPolicies));
  const health = spec.healthCheckNodePort ?? 0;
  if (needsHealthCheck(service)) {
    if (health === 0) errors.push(required('spec.healthCheckNodePort'));
    else errors.push(...invalidEach('spec.healthCheckNodePort', health, portNumberErrors(health)));
  } else if (health !== 0) {
    const detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
    errors.push(invalid('spec.healthCheckNodePort', health, detail));
  }
  const internal: string | undefined = spec.internalTrafficPolicy;
  if (internal === undefined) {
    if (spec.type !== 'ExternalName') errors.push(required('spec.internalTrafficPolicy'));
  } else if (!trafficPolicies.includes(internal)) {
    errors.push(notSupported('spec.internalTrafficPolicy', internal, trafficPolicies));
  }
  const distribution = spec.trafficDistribution;
  if (distribution !== undefined && !distributions.includes(distribution)) {
    errors.push(notSupported('spec.trafficDistribution', distribution, distributions));
  }
  return errors;
}

/** Everything wrong with a service, in upstream's order. */
export function validateService(service: Service): FieldError[] {
  const type: string = service.spec.type ?? '';
  return [
    ...validateTopologyAnnotations(service),
    ...validateType(service),
    ...validatePorts(service),
    ...validateLabels(service.spec.selector, 'spec.selector'),
    ...validateAffinity(service),
    ...validateClusterIps(service),
    ...validateExternalIps(service),
    ...(types.includes(type) ? [] : [notSupported('spec.type', type, types)]),
    ...validateUniquePorts(service),
    ...validateSourceRanges(service),
    ...validateLoadBalancer(service),
    ...validateTrafficPolicies(service),
  ];
}

/** Everything wrong with an update of a service, in upstream's order. */
export function validateServiceUpdate(next: Service, old: Service): FieldError[] {
  const errors: FieldError[] = [];
  if (next.spec.type === 'LoadBalancer' && old.spec.type === 'LoadBalancer') {
    const { loadBalancerClass } = next.spec;
    if (loadBalancerClass !== old.spec.loadBalancerClass) {
      errors.push(invalid('spec.loadBalancerClass', loadBalancerClass, 'may not change once set'));
    }
  }
  const sameHealthPort = next.spec.healthCheckNodePort === old.spec.healthCheckNodePort;
  if (needsHealthCheck(old) && needsHealthCheck(next) && !sameHealthPort) {
    errors.push(forbidden('spec.healthCheckNodePort', 'field is immutable'));
  }
  return errors;
}

/** Everything wrong with the status of a service. */
export function validateServiceStatus({ spec, status }: Service): FieldError[] {
  const ingress = status?.loadBalancer?.ingress ?? [];
  const field = 'status.loadBalancer.ingress';
  if (spec.type !== 'LoadBalancer' && ingress.length > 0) {
    return [forbidden(field, "may only be used when `spec.type` is 'LoadBalancer'")];
  }
  return ingress.flatMap(({ ip, ipMode, hostname }, index) => {
    const at = `${field}[${index}]`;
    const errors = ip ? validateIp(ip, `${at}.ip`) : [];
    if (ip && ipMode === undefined) {
      errors.push(required(`${at}.ipMode`, 'must be specified when `ip` is set'));
    } else if (ipMode !== undefined && !ip) {
      errors.push(forbidden(`${at}.ipMode`, 'may not be specified when `ip` is not set'));
    } else if (ipMode !== undefined && !['Proxy', 'VIP'].includes(ipMode)) {
      errors.push(notSupported(`${at}.ipMode`, ipMode, ['Proxy', 'VIP']));
    }
    if (!hostname) return errors;
    errors.push(...invalidEach(`${at}.hostname`, hostname, dns1123SubdomainErrors(hostname)));
    if (validateIp(hostname, at).length === 0) {
      errors.push(invalid(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address'));
    }
    return errors;
  });
}
