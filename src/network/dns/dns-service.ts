import type { Service } from '../../api/core/v1.gen.ts';
import type { EndpointSlice } from '../../api/discovery/v1.gen.ts';

/** What DNS has to know of one Service; plain data. */
export type DnsService = DnsName &
  (
    | {
        readonly kind: 'clusterIP';
        readonly addresses: readonly string[];
        readonly ports: readonly DnsPort[];
      }
    | { readonly kind: 'headless'; readonly endpoints: readonly DnsEndpoint[] }
    | { readonly kind: 'externalName'; readonly target: string }
  );

interface DnsName {
  readonly namespace: string;
  readonly name: string;
}

export interface DnsPort {
  /** Empty when the port has none; such a port has no SRV record. */
  readonly name: string;
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly port: number;
}

export interface DnsEndpoint {
  readonly ip: string;
  /** The endpoint's own hostname, or its address with dashes. */
  readonly hostname: string;
  readonly ports: readonly DnsPort[];
}

/** The names of a Service by the Kubernetes DNS specification 1.1.0; undefined while it has none. */
export function planDnsService(service: Service, slices: readonly EndpointSlice[]): DnsService | undefined {
  const { spec } = service;
  const { name, namespace } = service.metadata;
  if (!spec || name === undefined || namespace === undefined) return undefined;
  if (spec.type === 'ExternalName') {
    const target = (spec.externalName ?? '').replace(/\.$/, '').toLowerCase();
    return target === '' ? undefined : { namespace, name, kind: 'externalName', target };
  }
  if (spec.clusterIP === 'None')
    return { namespace, name, kind: 'headless', endpoints: endpointsOf(service, slices) };
  if (!spec.clusterIP) return undefined;
  const ports = (spec.ports ?? []).map((port) => dnsPort(port));
  const addresses = spec.clusterIPs?.length ? spec.clusterIPs : [spec.clusterIP];
  return { namespace, name, kind: 'clusterIP', addresses, ports };
}

function endpointsOf(service: Service, slices: readonly EndpointSlice[]): readonly DnsEndpoint[] {
  const endpoints = new Map<string, DnsEndpoint>();
  const unready = service.spec?.publishNotReadyAddresses === true;
  for (const slice of slices) {
    if (slice.addressType === 'FQDN') continue;
    const ports = (slice.ports ?? []).flatMap((port) =>
      port.port === undefined ? [] : [dnsPort({ ...port, port: port.port })],
    );
    for (const { addresses, conditions, hostname } of slice.endpoints ?? []) {
      const ip = addresses[0];
      if (ip === undefined || !(unready || (conditions?.ready ?? true))) continue;
      const known = endpoints.get(ip);
      endpoints.set(ip, {
        ip,
        hostname: hostname ?? ip.replaceAll(/[.:]/g, '-'),
        ports: [...(known?.ports ?? []), ...ports],
      });
    }
  }
  return [...endpoints.values()].sort((a, b) => (a.ip < b.ip ? -1 : 1));
}

function dnsPort(port: {
  readonly name?: string;
  readonly protocol?: string;
  readonly port: number;
}): DnsPort {
  const protocol = port.protocol === 'UDP' ? 'udp' : port.protocol === 'SCTP' ? 'sctp' : 'tcp';
  return { name: port.name ?? '', protocol, port: port.port };
}
