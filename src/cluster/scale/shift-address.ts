import { formatIpv4, parseIpv4, parseIpv4Range } from '../../base/ipv4.ts';

/** The network that comes `index` networks of the same size after this one. Throws an `Error` for what is no IPv4 network. */
export function shiftNetwork(cidr: string, index: number): string {
  const range = parseIpv4Range(cidr);
  if (!range) throw new Error(`${JSON.stringify(cidr)} is not an IPv4 network such as 10.0.0.0/24`);
  const host = (parseIpv4(cidr.split('/')[0] ?? '') ?? range.network) - range.network;
  return `${formatIpv4(beyond(range.network + host + index * range.size))}/${range.prefix}`;
}

/** The address that comes `index` addresses after this one. */
export function shiftAddress(address: string, index: number): string {
  const value = parseIpv4(address);
  if (value === undefined) throw new Error(`${JSON.stringify(address)} is not an IPv4 address`);
  return formatIpv4(beyond(value + index));
}

function beyond(address: number): number {
  if (address > 0xff_ff_ff_ff) throw new Error('there are no IPv4 addresses beyond 255.255.255.255');
  return address;
}
