import { endpoints, services } from '../../api/core/v1.gen.ts';
import { endpointslices } from '../../api/discovery/v1.gen.ts';
import type { Service, ServicePort } from '../../api/core/v1.gen.ts';
import type { Lookup } from '../admission/lookup.ts';

/** A service that the server itself calls: webhooks, aggregated APIs. */
export interface ServiceTarget {
  readonly namespace: string;
  readonly name: string;
  /** The service's port. */
  readonly port: number;
}

/** Where to connect, or why there is nowhere, in the words of upstream's endpoint resolver. */
export type ResolvedService = { readonly host: string; readonly port: number } | { readonly error: string };

/** Finds an address behind a service. */
export interface ServiceResolver {
  resolve(target: ServiceTarget): ResolvedService;
}

/** Resolves services to ready endpoints straight from the caches. */
export function endpointResolver(lookup: Lookup): ServiceResolver {
  return {
    resolve(target) {
      const { namespace, name, port } = target;
      const service = lookup.get<Service>(services, namespace, name);
      if (!service) return { error: `service ${JSON.stringify(name)} not found` };
      const { type, externalName, ports = [] } = service.spec ?? {};
      if (type === 'ExternalName') return { host: externalName ?? '', port };
      const found = ports.find((candidate) => candidate.port === port);
      if (!found) return { error: `no service port ${port} found for service ${JSON.stringify(name)}` };
      const address = sliceAddress(lookup, target, found) ?? endpointsAddress(lookup, target, found);
      return address ?? { error: `no endpoints available for service ${JSON.stringify(name)}` };
    },
  };
}

interface Address {
  readonly host: string;
  readonly port: number;
}

function sliceAddress(
  lookup: Lookup,
  { namespace, name }: ServiceTarget,
  { name: portName = '' }: ServicePort,
): Address | undefined {
  for (const slice of lookup.list(endpointslices)) {
    const { metadata, addressType } = slice;
    if (metadata.namespace !== namespace || addressType === 'FQDN') continue;
    if (metadata.labels?.['kubernetes.io/service-name'] !== name) continue;
    const port = slice.ports?.find((candidate) => (candidate.name ?? '') === portName)?.port;
    const ready = slice.endpoints?.find(({ conditions }) => conditions?.ready !== false);
    const host = ready?.addresses[0];
    if (port !== undefined && host !== undefined) return { host, port };
  }
  return undefined;
}

function endpointsAddress(
  lookup: Lookup,
  { namespace, name }: ServiceTarget,
  { name: portName = '' }: ServicePort,
): Address | undefined {
  for (const { addresses, ports } of lookup.get(endpoints, namespace, name)?.subsets ?? []) {
    const port = ports?.find((candidate) => (candidate.name ?? '') === portName)?.port;
    const host = addresses?.[0]?.ip;
    if (port !== undefined && host !== undefined) return { host, port };
  }
  return undefined;
}
