import { formatIpv4, inIpv4Range, parseIpv4, type Ipv4Range } from '../../base/ipv4.ts';
import type { LoadBalancerIngress, Service } from '../../api/core/v1.gen.ts';

/** Whether this controller gives the service its address; one with a class is left to whoever implements the class. */
export function wantsLoadBalancer({ spec, metadata }: Service): boolean {
  return (
    spec?.type === 'LoadBalancer' &&
    spec.loadBalancerClass === undefined &&
    metadata.deletionTimestamp === undefined
  );
}

/** The addresses that the status of a service names. */
export function balancerAddresses({ status }: Service): readonly string[] {
  return (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
}

/**
 * What `status.loadBalancer.ingress` is to be: the address it has, `spec.loadBalancerIP` when that is free, or the lowest
 * free address. Undefined when none is left; empty when the service is no load balancer.
 */
export function planIngress(
  service: Service,
  range: Ipv4Range,
  taken: ReadonlySet<string>,
): readonly LoadBalancerIngress[] | undefined {
  if (!wantsLoadBalancer(service)) return [];
  const usable = (ip: string | undefined): ip is string => {
    const address = parseIpv4(ip ?? '');
    return address !== undefined && ip !== undefined && isHost(range, address) && !taken.has(ip);
  };
  const asked = service.spec?.loadBalancerIP;
  const [current] = balancerAddresses(service);
  const wished = [asked, current].find(usable);
  const ip = wished ?? lowestFree(range, taken);
  return ip === undefined ? undefined : [{ ip, ipMode: 'VIP' }];
}

function isHost(range: Ipv4Range, address: number): boolean {
  return inIpv4Range(range, address) && address > range.network && address < range.network + range.size - 1;
}

function lowestFree(range: Ipv4Range, taken: ReadonlySet<string>): string | undefined {
  for (let address = range.network + 1; address < range.network + range.size - 1; address++) {
    const ip = formatIpv4(address);
    if (!taken.has(ip)) return ip;
  }
  return undefined;
}
