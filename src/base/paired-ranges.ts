import { formatIpv6, type Ipv6Range } from './ipv6.ts';
import type { Ipv4Range } from './ipv4.ts';

/** An IPv4 range and an IPv6 range side by side: each /24 of the one has the /64 of the same number in the other. */
export interface RangePair {
  readonly ipv4: Ipv4Range;
  readonly ipv6: Ipv6Range;
}

/** The IPv6 address that goes with an IPv4 address of the pair: `10.244.3.7` has `fd00:10:244:3::7`. */
export function pairedAddress(pair: RangePair, address: number): string {
  return formatIpv6(pairedNumber(pair, address));
}

/** The /64 that goes with a /24 of the pair. */
export function pairedRange(pair: RangePair, part: Ipv4Range): Ipv6Range {
  return { network: pairedNumber(pair, part.network), prefix: 64 };
}

function pairedNumber({ ipv4, ipv6 }: RangePair, address: number): bigint {
  const offset = address - ipv4.network;
  return ipv6.network + (BigInt(Math.floor(offset / 256)) << 64n) + BigInt(offset % 256);
}
