/** A range of IPv6 addresses; addresses are unsigned 128-bit numbers. */
export interface Ipv6Range {
  /** The lowest address. */
  readonly network: bigint;
  readonly prefix: number;
}

/** The number of an address in any of its spellings (`::1`, `fd00::10.0.0.1`); undefined when it is none. */
export function parseIpv6(text: string): bigint | undefined {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text);
  if (dotted) {
    const octets = dotted.slice(2).map(Number);
    if (octets.some((octet) => octet > 255)) return undefined;
    const [a = 0, b = 0, c = 0, d = 0] = octets;
    return parseIpv6(`${dotted[1]}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`);
  }
  const [head = '', tail, ...others] = text.split('::');
  if (others.length > 0) return undefined;
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const missing = 8 - left.length - right.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...left, ...Array<string>(missing).fill('0'), ...right];
  if (!groups.every((group) => /^[0-9a-fA-F]{1,4}$/.test(group))) return undefined;
  return groups.reduce((value, group) => (value << 16n) | BigInt(`0x${group}`), 0n);
}

/** Reads `fd00::/8` (host bits are cut off); undefined when it is none. */
export function parseIpv6Range(text: string): Ipv6Range | undefined {
  const [base = '', length = '', ...rest] = text.split('/');
  const address = parseIpv6(base);
  if (address === undefined || rest.length > 0 || !/^[0-9]{1,3}$/.test(length) || Number(length) > 128)
    return undefined;
  const host = BigInt(128 - Number(length));
  return { network: (address >> host) << host, prefix: Number(length) };
}

/** Whether the range has that address. */
export function inIpv6Range({ network, prefix }: Ipv6Range, address: bigint): boolean {
  const host = BigInt(128 - prefix);
  return address >> host === network >> host;
}

/** The canonical spelling of an address (RFC 5952). */
export function formatIpv6(address: bigint): string {
  const groups = Array.from({ length: 8 }, (_, at) =>
    Number((address >> BigInt(112 - 16 * at)) & 0xffffn).toString(16),
  );
  let longest = { at: -1, length: 1 };
  for (let at = 0; at < groups.length; at += 1) {
    let length = 0;
    while (groups[at + length] === '0') length += 1;
    if (length > longest.length) longest = { at, length };
    at += length;
  }
  if (longest.at < 0) return groups.join(':');
  const { at, length } = longest;
  return `${groups.slice(0, at).join(':')}::${groups.slice(at + length).join(':')}`;
}

/** `fd00::/8` of a range. */
export function formatIpv6Range({ network, prefix }: Ipv6Range): string {
  return `${formatIpv6(network)}/${prefix}`;
}
