import { formatIpv4, inIpv4Range, parseIpv4, parseIpv4Range } from './ipv4.ts';
import { formatIpv6, inIpv6Range, parseIpv6, parseIpv6Range } from './ipv6.ts';

/** Whether a range of either family (`10.0.0.0/8`, `fd00::/8`) has an address; never when the families differ. */
export function inRange(range: string, address: string): boolean {
  if (range.includes(':')) {
    const [parsed, number] = [parseIpv6Range(range), parseIpv6(address)];
    return parsed !== undefined && number !== undefined && inIpv6Range(parsed, number);
  }
  const [parsed, number] = [parseIpv4Range(range), parseIpv4(address)];
  return parsed !== undefined && number !== undefined && inIpv4Range(parsed, number);
}

/** The address after the network's own: `10.244.3.1` of `10.244.3.0/24`; undefined when the text is no range. */
export function firstHost(range: string): string | undefined {
  const ipv6 = parseIpv6Range(range);
  if (ipv6) return formatIpv6(ipv6.network + 1n);
  const ipv4 = parseIpv4Range(range);
  return ipv4 && formatIpv4(ipv4.network + 1);
}
