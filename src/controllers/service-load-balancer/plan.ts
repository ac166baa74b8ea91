import { formatIpv4, type Ipv4Range } from '../../base/ipv4.ts';
import { formatIpv6, parseIpv6 } from '../../base/ipv6.ts';
import { pairedAddress, type RangePair } from '../../base/paired-ranges.ts';
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

/** Where load balancers have their addresses: a range, and those of IPv6 that go with its addresses in a cluster of two families. */
export interface BalancerRange {
  readonly range: Ipv4Range;
  readonly pair?: RangePair;
}

/**
 * What `status.loadBalancer.ingress` is to be: the address it has, `spec.loadBalancerIP` when that is free, or the lowest
 * free address, in each family of the service (the addresses of both go together). Undefined when none is left; empty when
 * the service is no load balancer.
 */
export function planIngress(
  service: Service,
  { range, pair }: BalancerRange,
  taken: ReadonlySet<string>,
): readonly LoadBalancerIngress[] | undefined {
  if (!wantsLoadBalancer(service)) return [];
  const places: Place[] = [];
  for (let address = range.network + 1; address < range.network + range.size - 1; address++)
    places.push({ IPv4: formatIpv4(address), ...(pair && { IPv6: pairedAddress(pair, address) }) });
  const isFree = ({ IPv4, IPv6 }: Place): boolean =>
    !taken.has(IPv4) && !(IPv6 !== undefined && taken.has(IPv6));
  const [current] = balancerAddresses(service);
  const wished = [service.spec?.loadBalancerIP, current].flatMap((ip) =>
    ip ? places.filter((place) => Object.values(place).includes(canonical(ip))) : [],
  );
  const place = [...wished, ...places].find(isFree);
  if (!place) return undefined;
  const families = service.spec?.ipFamilies ?? [];
  return (families.length > 0 ? families : (['IPv4'] as const)).flatMap((family) => {
    const ip = family === 'IPv6' ? place.IPv6 : place.IPv4;
    return ip === undefined ? [] : [{ ip, ipMode: 'VIP' as const }];
  });
}

/** The addresses of the two families that are given out together. */
interface Place {
  readonly IPv4: string;
  readonly IPv6?: string;
}

function canonical(ip: string): string {
  const ipv6 = ip.includes(':') ? parseIpv6(ip) : undefined;
  return ipv6 === undefined ? ip : formatIpv6(ipv6);
}
