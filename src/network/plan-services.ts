import type { Service, ServicePort as ApiServicePort } from '../api/core/v1.gen.ts';
import type { Endpoint, EndpointSlice } from '../api/discovery/v1.gen.ts';
import type { HostPortMapping } from './create-pod-network.ts';
import { ipv6Suffix, type Backend, type Frontend, type ServicePort } from './service-port.ts';

export type IpFamily = 'IPv4' | 'IPv6';

/** Where a node is; `zone` is what its label says. */
export interface NodePlace {
  readonly name: string;
  readonly zone?: string;
}

/** A node of this machine. */
export interface NodeRange extends NodePlace {
  readonly range: string;
  /** Of a cluster of two families. */
  readonly ipv6Range?: string;
}

/** Whom a proxy serves: the machine with those nodes that share its network, or one node with a network of its own. */
export type ServiceView = { readonly nodes: readonly NodeRange[] } | { readonly node: NodePlace };

/**
 * What a proxy has to serve for a Service, given its EndpointSlices (resolved ports, upstream's rules: ready endpoints,
 * or those that still serve while they terminate when none is ready). Headless and ExternalName services have nothing.
 *
 * On a node of its own, `externalTrafficPolicy: Local` means the node's endpoints. For the machine, every external client
 * is local to every endpoint: it asks for nothing more than client addresses to be kept. Hints of endpoints are followed
 * for the pods of a node (`trafficDistribution`); the machine itself is in no zone.
 */
export function planService(
  service: Service,
  slices: readonly EndpointSlice[],
  view: ServiceView,
  family: IpFamily = 'IPv4',
): readonly ServicePort[] {
  const { spec } = service;
  const clusterIP = clusterIpOf(service, family);
  if (!spec || spec.type === 'ExternalName' || clusterIP === undefined) return [];
  const affinitySeconds =
    spec.sessionAffinity === 'ClientIP'
      ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800)
      : undefined;
  const restricted = spec.type === 'LoadBalancer' && (spec.loadBalancerSourceRanges ?? []).length > 0;
  const sourceRanges = (spec.loadBalancerSourceRanges ?? []).filter((range) => isOf(family, range));
  return (spec.ports ?? []).map((port) => {
    const protocol = port.protocol ?? 'TCP';
    const candidates = endpointsOf(slices, port, family);
    const internal = spec.internalTrafficPolicy === 'Local';
    const external = spec.externalTrafficPolicy === 'Local';
    return {
      key: `${service.metadata.namespace}/${service.metadata.name}/${protocol.toLowerCase()}/${port.port}${family === 'IPv6' ? ipv6Suffix : ''}`,
      protocol,
      ...(family === 'IPv6' && { family }),
      frontends: frontendsOf(service, port, { family, clusterIP }).filter(
        ({ role, address }) => 'nodes' in view || role !== 'loadBalancer' || address !== undefined,
      ),
      endpoints: 'node' in view ? near(view.node, candidates) : usable(candidates),
      ...('nodes' in view
        ? (internal || hinted(candidates)) && {
            nodeEndpoints: view.nodes.flatMap((node) => {
              const range = family === 'IPv6' ? node.ipv6Range : node.range;
              const endpoints = internal ? endpointsOn(node, candidates) : near(node, candidates);
              return range === undefined ? [] : [{ range, endpoints }];
            }),
          }
        : (internal || external) && {
            local: { internal, external, endpoints: endpointsOn(view.node, candidates) },
          }),
      ...(affinitySeconds !== undefined && { affinitySeconds }),
      ...(restricted && { sourceRanges }),
    };
  });
}

function clusterIpOf({ spec }: Service, family: IpFamily): string | undefined {
  const all = spec?.clusterIPs?.length ? spec.clusterIPs : [spec?.clusterIP ?? ''];
  return all.find((ip) => ip !== '' && ip !== 'None' && isOf(family, ip));
}

/** Whether an address or range is of a family. */
function isOf(family: IpFamily, address: string): boolean {
  return address.includes(':') === (family === 'IPv6');
}

/** What a load balancer outside asks of a machine. */
export interface HealthCheck {
  readonly port: number;
  /** How many endpoints of the service are ready on it. */
  readonly localEndpoints: number;
}

/** What a machine, to which all its nodes are local, says on a service's `healthCheckNodePort`; undefined when it has none. */
export function planHealthCheck(
  { spec }: Service,
  slices: readonly EndpointSlice[],
): HealthCheck | undefined {
  const port = spec?.healthCheckNodePort ?? 0;
  if (spec?.type !== 'LoadBalancer' || spec.externalTrafficPolicy !== 'Local' || port === 0) return undefined;
  const ready = slices
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready ?? true);
  return { port, localEndpoints: new Set(ready.map(({ addresses }) => addresses[0])).size };
}

/** The host port of a pod as something to be served, in each family that it has and `hostIP` allows. */
export function planHostPort(mapping: HostPortMapping): readonly ServicePort[] {
  const { protocol, hostPort, hostIP = '', podIP, podIPv6, containerPort } = mapping;
  const bound = !['', '0.0.0.0', '::'].includes(hostIP);
  return [podIP, ...(podIPv6 === undefined ? [] : [podIPv6])].flatMap((ip): ServicePort[] => {
    const family = ip.includes(':') ? 'IPv6' : 'IPv4';
    if (hostIP !== '' && !isOf(family, hostIP)) return [];
    const at = `${hostPort}${bound ? `/${hostIP}` : ''}${family === 'IPv6' ? ipv6Suffix : ''}`;
    return [
      {
        key: `hostPort/${ip}/${protocol.toLowerCase()}/${at}`,
        protocol,
        ...(family === 'IPv6' && { family }),
        frontends: [{ role: 'hostPort', ...(bound && { address: hostIP }), port: hostPort }],
        endpoints: [{ ip, port: containerPort }],
      },
    ];
  });
}

interface Candidate extends Backend {
  readonly endpoint: Endpoint;
}

function endpointsOf(
  slices: readonly EndpointSlice[],
  port: ApiServicePort,
  family: IpFamily,
): readonly Candidate[] {
  const candidates = new Map<string, Candidate>();
  for (const slice of slices) {
    if (slice.addressType !== family) continue;
    const found = (slice.ports ?? []).find(
      ({ name = '', protocol = 'TCP' }) =>
        name === (port.name ?? '') && protocol === (port.protocol ?? 'TCP'),
    );
    if (found?.port === undefined) continue;
    for (const endpoint of slice.endpoints ?? []) {
      const ip = endpoint.addresses[0];
      if (ip !== undefined) candidates.set(`${ip}:${found.port}`, { ip, port: found.port, endpoint });
    }
  }
  return [...candidates].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, candidate]) => candidate);
}

function usable(candidates: readonly Candidate[]): readonly Backend[] {
  const ready = candidates.filter(isReady);
  return backendsOf(ready.length > 0 ? ready : candidates.filter(isDraining));
}

function isReady({ endpoint }: Candidate): boolean {
  return endpoint.conditions?.ready ?? true;
}

function isDraining({ endpoint }: Candidate): boolean {
  return endpoint.conditions?.terminating === true && endpoint.conditions.serving !== false;
}

function backendsOf(candidates: readonly Candidate[]): readonly Backend[] {
  return candidates.map(({ ip, port }) => ({ ip, port }));
}

function endpointsOn({ name }: NodePlace, candidates: readonly Candidate[]): readonly Backend[] {
  return usable(candidates.filter(({ endpoint }) => endpoint.nodeName === name));
}

function hinted(candidates: readonly Candidate[]): boolean {
  return candidates.some(({ endpoint }) => endpoint.hints !== undefined);
}

/** Those that hints give to a node, or else to its zone, as long as every ready endpoint has such hints. */
function near({ name, zone }: NodePlace, candidates: readonly Candidate[]): readonly Backend[] {
  const ready = candidates.filter(isReady);
  const choices = [
    { place: name, hintsOf: ({ hints }: Endpoint) => hints?.forNodes ?? [] },
    { place: zone, hintsOf: ({ hints }: Endpoint) => hints?.forZones ?? [] },
  ];
  for (const { place, hintsOf } of choices) {
    if (!ready.every(({ endpoint }) => hintsOf(endpoint).length > 0)) continue;
    const own = ready.filter(({ endpoint }) => hintsOf(endpoint).some((hint) => hint.name === place));
    if (own.length > 0) return backendsOf(own);
  }
  return usable(candidates);
}

function frontendsOf(
  { spec, status }: Service,
  port: ApiServicePort,
  { family, clusterIP }: { readonly family: IpFamily; readonly clusterIP: string },
): readonly Frontend[] {
  const frontends: Frontend[] = [{ role: 'clusterIP', address: clusterIP, port: port.port }];
  for (const address of spec?.externalIPs ?? [])
    if (isOf(family, address)) frontends.push({ role: 'externalIP', address, port: port.port });
  if (spec?.type === 'NodePort' || spec?.type === 'LoadBalancer') {
    if (port.nodePort) frontends.push({ role: 'nodePort', port: port.nodePort });
  }
  if (spec?.type === 'LoadBalancer') {
    const addresses = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, ipMode }) =>
      ip !== undefined && ipMode !== 'Proxy' && isOf(family, ip) ? [ip] : [],
    );
    for (const address of addresses) frontends.push({ role: 'loadBalancer', address, port: port.port });
    if (addresses.length > 0) frontends.push({ role: 'loadBalancer', port: port.port });
  }
  return frontends;
}
