import type { Service, ServicePort } from '../../api/core/v1.gen.ts';
import type { Endpoint, EndpointSlice } from '../../api/discovery/v1.gen.ts';
import type { Upstream, UpstreamEndpoint } from './proxy/proxy-configuration.ts';

/** A port of a Service to which a route leads. */
export interface UpstreamRef {
  readonly namespace: string;
  readonly service: string;
  /** Number or name. */
  readonly port: number | string;
  /** Over HTTP/2 whatever the port says, as gRPC needs it. */
  readonly grpc?: true;
}

/** The name of the upstream of a reference. */
export function upstreamName({ namespace, service, port, grpc }: UpstreamRef): string {
  return `${namespace}/${service}:${port}${grpc ? '/grpc' : ''}`;
}

/** The port of a Service that a reference means. A Service of type ExternalName need not list the ports of what it names. */
export function portOf(service: Service, port: number | string): ServicePort | undefined {
  const listed = service.spec?.ports?.find(
    (one) =>
      (one.protocol ?? 'TCP') === 'TCP' && (typeof port === 'number' ? one.port === port : one.name === port),
  );
  if (listed || typeof port !== 'number' || service.spec?.type !== 'ExternalName') return listed;
  return service.spec.ports?.length ? undefined : { port };
}

/** Finds a Service by its namespace and name. */
export type ServiceLookup = (namespace: string, name: string) => Service | undefined;

/**
 * Where requests for a reference go now: the ready endpoints, or, when there is none, those that still serve while they
 * terminate. Undefined when the Service or its port does not exist. A name outside is looked up by the machine, which does not
 * know the names of Services; for those it is the cluster IP.
 */
export function planUpstream(
  ref: UpstreamRef,
  service: Service | undefined,
  slices: readonly EndpointSlice[],
  lookup: ServiceLookup,
): Upstream | undefined {
  const port = service && portOf(service, ref.port);
  if (!service || !port) return undefined;
  const external = service.spec?.type === 'ExternalName' ? service.spec.externalName : undefined;
  return {
    name: upstreamName(ref),
    protocol: ref.grpc ? 'h2c' : protocolOf(port.appProtocol),
    endpoints:
      external === undefined
        ? endpointsOf(slices, port.name ?? '')
        : [{ ip: clusterIpOf(external, lookup) ?? external, port: port.port }],
  };
}

function clusterIpOf(host: string, lookup: ServiceLookup): string | undefined {
  const [, name = '', namespace = ''] = /^([^.]+)\.([^.]+)\.svc(?:\.cluster\.local)?\.?$/.exec(host) ?? [];
  const ip = name === '' ? undefined : lookup(namespace, name)?.spec?.clusterIP;
  return ip === 'None' || ip === '' ? undefined : ip;
}

/** KEP-3726's names, and what others write. */
function protocolOf(appProtocol: string | undefined): Upstream['protocol'] {
  const name = appProtocol?.toLowerCase();
  if (name === 'kubernetes.io/h2c' || name === 'h2c' || name === 'http2' || name === 'grpc') return 'h2c';
  return name === 'https' || name === 'kubernetes.io/wss' || name === 'wss' ? 'https' : 'http1';
}

function endpointsOf(slices: readonly EndpointSlice[], portName: string): readonly UpstreamEndpoint[] {
  const family = slices.some(({ addressType }) => addressType === 'IPv4') ? 'IPv4' : 'IPv6';
  const found = new Map<string, UpstreamEndpoint & { readonly endpoint: Endpoint }>();
  for (const slice of slices) {
    if (slice.addressType !== family) continue;
    const port = slice.ports?.find(
      ({ name = '', protocol = 'TCP' }) => name === portName && protocol === 'TCP',
    );
    if (port?.port === undefined) continue;
    for (const endpoint of slice.endpoints ?? []) {
      const ip = endpoint.addresses[0];
      if (ip !== undefined) found.set(`${ip}:${port.port}`, { ip, port: port.port, endpoint });
    }
  }
  const all = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  const ready = all.filter(({ endpoint }) => endpoint.conditions?.ready ?? true);
  const chosen =
    ready.length > 0
      ? ready
      : all.filter(
          ({ endpoint: { conditions } }) => conditions?.terminating === true && conditions.serving !== false,
        );
  return chosen.map(({ ip, port }) => ({ ip, port }));
}
