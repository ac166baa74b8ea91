/** A range of IPv4 addresses; addresses are unsigned 32-bit numbers. */
export interface Ipv4Range {
  /** The lowest address. */
  readonly network: number;
  readonly prefix: number;
  readonly size: number;
}

/** The number of a dotted address; undefined when it is none. */
export function parseIpv4(text: string): number | undefined {
  const octets = text.split('.');
  if (octets.length !== 4) return undefined;
  let value = 0;
  for (const octet of octets) {
    if (!/^(?:0|[1-9][0-9]{0,2})$/.test(octet) || Number(octet) > 255) return undefined;
    value = value * 256 + Number(octet);
  }
  return value;
}

/** The dotted form of an address. */
export function formatIpv4(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

/** Reads `10.0.0.0/8` (host bits are cut off); undefined when it is none. */
export function parseIpv4Range(text: string): Ipv4Range | undefined {
  const [base = '', length = '', ...rest] = text.split('/');
  const address = parseIpv4(base);
  if (address === undefined || rest.length > 0 || !/^[0-9]{1,2}$/.test(length) || Number(length) > 32)
    return undefined;
  const size = 2 ** (32 - Number(length));
  return { network: address - (address % size), prefix: Number(length), size };
}

/** `10.0.0.0/8` of a range. */
export function formatIpv4Range(range: Ipv4Range): string {
  return `${formatIpv4(range.network)}/${range.prefix}`;
}

/** Whether the range has that address. */
export function inIpv4Range(range: Ipv4Range, address: number): boolean {
  return address >= range.network && address < range.network + range.size;
}

/** The part number `index` (from 0; negative ones count from the end) of a range cut into parts of `prefix`; undefined when there is none. */
export function ipv4Subrange(range: Ipv4Range, prefix: number, index: number): Ipv4Range | undefined {
  if (prefix < range.prefix || prefix > 32) return undefined;
  const size = 2 ** (32 - prefix);
  const count = range.size / size;
  const at = index < 0 ? count + index : index;
  return at < 0 || at >= count ? undefined : { network: range.network + at * size, prefix, size };
}
