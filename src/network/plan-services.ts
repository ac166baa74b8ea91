import type { Service, ServicePort as ApiServicePort } from '../api/core/v1.gen.ts';
import type { Endpoint, EndpointSlice } from '../api/discovery/v1.gen.ts';
import type { HostPortMapping } from './create-pod-network.ts';
import type { Backend, Frontend, ServicePort } from './service-port.ts';

/** Where a node is; `zone` is what its label says. */
export interface NodePlace {
  readonly name: string;
  readonly zone?: string;
}

/** A node of this machine. */
export interface NodeRange extends NodePlace {
  readonly range: string;
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
): readonly ServicePort[] {
  const { spec } = service;
  const clusterIP = spec?.clusterIP;
  if (!spec || spec.type === 'ExternalName' || !clusterIP || clusterIP === 'None') return [];
  const affinitySeconds =
    spec.sessionAffinity === 'ClientIP'
      ? (spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800)
      : undefined;
  const sourceRanges = spec.type === 'LoadBalancer' ? (spec.loadBalancerSourceRanges ?? []) : [];
  return (spec.ports ?? []).map((port) => {
    const protocol = port.protocol ?? 'TCP';
    const candidates = endpointsOf(slices, port);
    const internal = spec.internalTrafficPolicy === 'Local';
    const external = spec.externalTrafficPolicy === 'Local';
    return {
      key: `${service.metadata.namespace}/${service.metadata.name}/${protocol.toLowerCase()}/${port.port}`,
      protocol,
      frontends: frontendsOf(service, port).filter(
        ({ role, address }) => 'nodes' in view || role !== 'loadBalancer' || address !== undefined,
      ),
      endpoints: 'node' in view ? near(view.node, candidates) : usable(candidates),
      ...('nodes' in view
        ? (internal || hinted(candidates)) && {
            nodeEndpoints: view.nodes.map((node) => ({
              range: node.range,
              endpoints: internal ? endpointsOn(node, candidates) : near(node, candidates),
            })),
          }
        : (internal || external) && {
            local: { internal, external, endpoints: endpointsOn(view.node, candidates) },
          }),
      ...(affinitySeconds !== undefined && { affinitySeconds }),
      ...(sourceRanges.length > 0 && { sourceRanges }),
    };
  });
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

/** The host port of a pod as something to be served. */
export function planHostPort({
  protocol,
  hostPort,
  hostIP,
  podIP,
  containerPort,
}: HostPortMapping): ServicePort {
  const bound = hostIP !== undefined && hostIP !== '' && hostIP !== '0.0.0.0';
  return {
    key: `hostPort/${podIP}/${protocol.toLowerCase()}/${hostPort}${bound ? `/${hostIP}` : ''}`,
    protocol,
    frontends: [{ role: 'hostPort', ...(bound && { address: hostIP }), port: hostPort }],
    endpoints: [{ ip: podIP, port: containerPort }],
  };
}

interface Candidate extends Backend {
  readonly endpoint: Endpoint;
}

function endpointsOf(slices: readonly EndpointSlice[], port: ApiServicePort): readonly Candidate[] {
  const candidates = new Map<string, Candidate>();
  for (const slice of slices) {
    if (slice.addressType !== 'IPv4') continue;
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

function frontendsOf(service: Service, port: ApiServicePort): readonly Frontend[] {
  const { spec, status } = service;
  const frontends: Frontend[] = [];
  if (spec?.clusterIP) frontends.push({ role: 'clusterIP', address: spec.clusterIP, port: port.port });
  for (const address of spec?.externalIPs ?? [])
    frontends.push({ role: 'externalIP', address, port: port.port });
  if (spec?.type === 'NodePort' || spec?.type === 'LoadBalancer') {
    if (port.nodePort) frontends.push({ role: 'nodePort', port: port.nodePort });
  }
  if (spec?.type === 'LoadBalancer') {
    const addresses = (status?.loadBalancer?.ingress ?? []).flatMap(({ ip, ipMode }) =>
      ip !== undefined && ipMode !== 'Proxy' ? [ip] : [],
    );
    for (const address of addresses) frontends.push({ role: 'loadBalancer', address, port: port.port });
    if (addresses.length > 0) frontends.push({ role: 'loadBalancer', port: port.port });
  }
  return frontends;
}
