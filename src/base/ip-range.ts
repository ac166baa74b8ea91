import { inIpv4Range, parseIpv4, parseIpv4Range } from './ipv4.ts';
import { inIpv6Range, parseIpv6, parseIpv6Range } from './ipv6.ts';

/** Whether a range of either family (`10.0.0.0/8`, `fd00::/8`) has an address; never when the families differ. */
export function inRange(range: string, address: string): boolean {
  if (range.includes(':')) {
    const [parsed, number] = [parseIpv6Range(range), parseIpv6(address)];
    return parsed !== undefined && number !== undefined && inIpv6Range(parsed, number);
  }
  const [parsed, number] = [parseIpv4Range(range), parseIpv4(address)];
  return parsed !== undefined && number !== undefined && inIpv4Range(parsed, number);
}
