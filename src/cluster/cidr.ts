import { formatIpv4, formatIpv4Range, parseIpv4, parseIpv4Range } from '../base/ipv4.ts';
import type { Ipv4Range } from '../base/ipv4.ts';
import { formatIpv6Range, parseIpv6, parseIpv6Range, type Ipv6Range } from '../base/ipv6.ts';
import { ClusterError } from './cluster-error.ts';

/** Reads a network that a person gave. Throws `INVALID_OPTION` naming the option. */
export function parseCidr(text: string, option: string): Ipv4Range {
  const range = parseIpv4Range(text);
  if (!range)
    throw new ClusterError(
      'INVALID_OPTION',
      `${option} ${JSON.stringify(text)} is not an IPv4 network such as 10.96.0.0/16`,
    );
  if (parseIpv4(text.split('/')[0] ?? '') !== range.network)
    throw new ClusterError(
      'INVALID_OPTION',
      `${option} ${text} has host bits set; the network is ${formatIpv4Range(range)}`,
    );
  return range;
}

/** A network of IPv4 and, in a cluster of two families, one of IPv6. */
export interface Networks {
  readonly ipv4: Ipv4Range;
  readonly ipv6?: Ipv6Range;
}

/** Reads `10.96.0.0/16` or `10.96.0.0/16,fd00:10:96::/112`. Throws `INVALID_OPTION` naming the option. */
export function parseNetworks(text: string, option: string): Networks {
  const [first = '', second, ...others] = text.split(',');
  if (second === undefined && !first.includes(':')) return { ipv4: parseCidr(first, option) };
  if (first.includes(':') || second === undefined || others.length > 0)
    throw new ClusterError(
      'INVALID_OPTION',
      `${option} ${text}: a cluster has an IPv4 network, or one of each family with that of IPv4 first, such as 10.96.0.0/16,fd00:10:96::/112`,
    );
  return { ipv4: parseCidr(first, option), ipv6: parseIpv6Cidr(second, option) };
}

/** `10.96.0.0/16,fd00:10:96::/112` */
export function formatNetworks({ ipv4, ipv6 }: Networks): string {
  return [formatIpv4Range(ipv4), ...(ipv6 ? [formatIpv6Range(ipv6)] : [])].join(',');
}

function parseIpv6Cidr(text: string, option: string): Ipv6Range {
  const range = parseIpv6Range(text);
  if (!range)
    throw new ClusterError(
      'INVALID_OPTION',
      `${option} ${JSON.stringify(text)} is not an IPv6 network such as fd00:10:96::/112`,
    );
  if (parseIpv6(text.split('/')[0] ?? '') !== range.network)
    throw new ClusterError(
      'INVALID_OPTION',
      `${option} ${text} has host bits set; the network is ${formatIpv6Range(range)}`,
    );
  return range;
}

/** The `index`-th address of a network; 0 is the network's own. */
export function nthAddress(range: Ipv4Range, index: number): string {
  return formatIpv4(range.network + index);
}

/** The `index`-th network of 256 addresses inside `range`: a node's pods. */
export function nodeRange(range: Ipv4Range, index: number): Ipv4Range {
  return { network: range.network + index * 256, prefix: 24, size: 256 };
}

export function overlaps(a: Ipv4Range, b: Ipv4Range): boolean {
  return a.network < b.network + b.size && b.network < a.network + a.size;
}

/** The first of `10.START.0.0/16`, `10.START+1.0.0/16` … that overlaps nothing in `taken`. */
export function freeNetwork(start: number, taken: readonly Ipv4Range[]): Ipv4Range {
  for (let step = 0; step < 128; step += 1) {
    const candidate: Ipv4Range = {
      network: (10 * 256 + ((start + step) % 256)) * 65_536,
      prefix: 16,
      size: 65_536,
    };
    if (!taken.some((other) => overlaps(candidate, other))) return candidate;
  }
  throw new ClusterError(
    'FAILED',
    'no free 10.x.0.0/16 network is left on this machine; give --pod-cidr and --service-cidr',
  );
}

/** Whether two IPv6 networks have an address in common. */
export function ipv6Overlaps(a: Ipv6Range, b: Ipv6Range): boolean {
  const shift = BigInt(128 - Math.min(a.prefix, b.prefix));
  return a.network >> shift === b.network >> shift;
}
