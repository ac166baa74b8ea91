import type { Ipv4Range } from '../base/ipv4.ts';
import type { Ipv6Range } from '../base/ipv6.ts';
import type { RangePair } from '../base/paired-ranges.ts';

/** What a cluster of two families has beside its IPv4 network; every address of a pod, node or load balancer has its pair. */
export interface Ipv6Side {
  /** The addresses of pods of both families. */
  readonly pods: RangePair;
  readonly serviceRange: Ipv6Range;
}

/** The IPv6 networks of a cluster, as they are planned. */
export interface Ipv6Networks {
  readonly podCidr: Ipv6Range;
  readonly serviceCidr: Ipv6Range;
}

/** The IPv6 side of a cluster whose pods have addresses of `podRange`. */
export function ipv6SideOf(podRange: Ipv4Range, networks: Ipv6Networks): Ipv6Side {
  return { pods: { ipv4: podRange, ipv6: networks.podCidr }, serviceRange: networks.serviceCidr };
}

/** The address of the machine's end of every pod's link, which is the pod's IPv6 gateway. */
export const linkGateway: string = 'fe80::1';

/**
 * A route by which answers that come back from a link reach the machine's own `::1`, from which a connection to a service was
 * opened: the kernel takes packets for that only by a route of the link on which they come, and drops those that come with
 * that address before it ever looks. Routes of one metric replace one another; without a metric it is one of many.
 */
export function loopbackRoute(link: string, metric: number = 2048): string {
  return `local ::1 dev ${link} table local metric ${metric}`;
}
