import { formatIpv4, formatIpv4Range, parseIpv4, parseIpv4Range } from '../base/ipv4.ts';
import type { Ipv4Range } from '../base/ipv4.ts';
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
