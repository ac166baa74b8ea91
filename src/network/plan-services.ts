import type { Service, ServicePort as ApiServicePort } from '../api/core/v1.gen.ts';
import type { Endpoint, EndpointSlice } from '../api/discovery/v1.gen.ts';
import type { HostPortMapping } from './create-pod-network.ts';
import type { Backend, Frontend, NodeBackends, ServicePort } from './service-port.ts';

/** A node of this machine. */
export interface NodeRange {
  readonly name: string;
  readonly range: string;
}

/** Whom a proxy serves: the machine with those nodes that share its network, or one node with a network of its own. */
export type ServiceView = { readonly nodes: readonly NodeRange[] } | { readonly node: string };

/**
 * What a proxy has to serve for a Service, given its EndpointSlices (resolved ports, upstream's rules: ready endpoints,
 * or those that still serve while they terminate when none is ready). Headless and ExternalName services have nothing.
 *
 * On a node of its own, `externalTrafficPolicy: Local` means the node's endpoints. For the machine, every external client
 * is local to every endpoint: it asks for nothing more than client addresses to be kept.
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
      endpoints: usable(candidates),
      ...('nodes' in view
        ? internal && { nodeEndpoints: view.nodes.map((node) => onNode(node, candidates)) }
        : (internal || external) && {
            local: { internal, external, endpoints: endpointsOn(view.node, candidates) },
          }),
      ...(affinitySeconds !== undefined && { affinitySeconds }),
      ...(sourceRanges.length > 0 && { sourceRanges }),
    };
  });
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
  const ready = candidates.filter(({ endpoint }) => endpoint.conditions?.ready ?? true);
  const chosen =
    ready.length > 0
      ? ready
      : candidates.filter(
          ({ endpoint }) =>
            endpoint.conditions?.terminating === true && endpoint.conditions.serving !== false,
        );
  return chosen.map(({ ip, port }) => ({ ip, port }));
}

function onNode(node: NodeRange, candidates: readonly Candidate[]): NodeBackends {
  return { range: node.range, endpoints: endpointsOn(node.name, candidates) };
}

function endpointsOn(node: string, candidates: readonly Candidate[]): readonly Backend[] {
  return usable(candidates.filter(({ endpoint }) => endpoint.nodeName === node));
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
