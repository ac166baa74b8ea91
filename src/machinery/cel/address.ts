import { goQuote } from '../go-quote.ts';

/** An IP address without zone: four or sixteen bytes. */
export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

export type ParsedAddress = { readonly address: Address; readonly zone: string } | { readonly error: string };

/** Reads an address as Go's `netip.ParseAddr` does, with its errors. */
export function parseAddress(text: string): ParsedAddress {
  const result = readAddress(text);
  if ('message' in result) {
    const place = result.at === undefined ? '' : ` (at ${goQuote(result.at)})`;
    return { error: `ParseAddr(${goQuote(text)}): ${result.message}${place}` };
  }
  return result;
}

interface Complaint {
  readonly message: string;
  readonly at?: string;
}

function readAddress(text: string): { readonly address: Address; readonly zone: string } | Complaint {
  const first = /[.:%]/.exec(text)?.[0];
  if (first === '%') return { message: 'missing IPv6 address' };
  if (first === ':') return readV6(text);
  if (first !== '.') return { message: 'unable to parse IP' };
  const value = readV4(text);
  return typeof value === 'bigint' ? { address: { family: 4, value }, zone: '' } : value;
}

function readV4(text: string): bigint | Complaint {
  let value = 0n;
  let octet = 0;
  let digits = 0;
  let position = 0;
  for (let index = 0; index < text.length; index++) {
    const char = text[index] ?? '';
    if (/[0-9]/.test(char)) {
      if (digits === 1 && octet === 0) return { message: 'IPv4 field has octet with leading zero' };
      octet = octet * 10 + Number(char);
      digits++;
      if (octet > 255) return { message: 'IPv4 field has value >255' };
    } else if (char === '.') {
      if (index === 0 || index === text.length - 1 || text[index - 1] === '.') {
        return { message: 'IPv4 field must have at least one digit', at: text.slice(index) };
      }
      if (position === 3) return { message: 'IPv4 address too long' };
      value = value * 256n + BigInt(octet);
      octet = 0;
      digits = 0;
      position++;
    } else {
      return { message: 'unexpected character', at: text.slice(index) };
    }
  }
  if (position < 3) return { message: 'IPv4 address too short' };
  return value * 256n + BigInt(octet);
}

function readV6(whole: string): { readonly address: Address; readonly zone: string } | Complaint {
  const percent = whole.indexOf('%');
  const zone = percent < 0 ? '' : whole.slice(percent + 1);
  if (percent >= 0 && zone === '') return { message: 'zone must be a non-empty string' };
  let rest = percent < 0 ? whole : whole.slice(0, percent);
  const groups: number[] = [];
  let ellipsis = -1;
  if (rest.startsWith('::')) {
    ellipsis = 0;
    rest = rest.slice(2);
    if (rest === '') return { address: { family: 6, value: 0n }, zone };
  }
  while (groups.length < 8) {
    const digits = /^[0-9A-Fa-f]*/.exec(rest)?.[0] ?? '';
    if (digits.length > 4) {
      return { message: 'each group must have 4 or fewer digits', at: rest };
    }
    if (digits === '')
      return { message: 'each colon-separated field must have at least one digit', at: rest };
    if (rest[digits.length] === '.') {
      if (ellipsis < 0 && groups.length !== 6) {
        return { message: 'embedded IPv4 address must replace the final 2 fields of the address', at: rest };
      }
      if (groups.length > 6)
        return { message: 'too many hex fields to fit an embedded IPv4 at the end of the address', at: rest };
      const embedded = readV4(rest);
      if (typeof embedded !== 'bigint') return embedded;
      groups.push(Number(embedded >> 16n), Number(embedded & 0xffffn));
      rest = '';
      break;
    }
    groups.push(Number.parseInt(digits, 16));
    rest = rest.slice(digits.length);
    if (rest === '') break;
    if (!rest.startsWith(':')) return { message: 'unexpected character, want colon', at: rest };
    if (rest.length === 1) return { message: 'colon must be followed by more characters', at: rest };
    rest = rest.slice(1);
    if (rest.startsWith(':')) {
      if (ellipsis >= 0) return { message: 'multiple :: in address', at: rest };
      ellipsis = groups.length;
      rest = rest.slice(1);
      if (rest === '') break;
    }
  }
  if (rest !== '') return { message: 'trailing garbage after address', at: rest };
  if (groups.length < 8 && ellipsis < 0) return { message: 'address string too short' };
  if (groups.length === 8 && ellipsis >= 0)
    return { message: 'the :: must expand to at least one field of zeros' };
  const zeros = Array.from({ length: 8 - groups.length }, () => 0);
  const full = ellipsis < 0 ? groups : [...groups.slice(0, ellipsis), ...zeros, ...groups.slice(ellipsis)];
  return {
    address: { family: 6, value: full.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n) },
    zone,
  };
}

/** The canonical text (RFC 5952 for IPv6). */
export function formatAddress({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
  const groups = Array.from({ length: 8 }, (_, index) =>
    Number((value >> BigInt(112 - 16 * index)) & 0xffffn),
  );
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const hex = (part: readonly number[]): string => part.map((group) => group.toString(16)).join(':');
  if (best.start < 0) return hex(groups);
  return `${hex(groups.slice(0, best.start))}::${hex(groups.slice(best.start + best.length))}`;
}

/** Whether an IPv6 address holds an IPv4 one (`::ffff:1.2.3.4`). */
export function isMapped({ family, value }: Address): boolean {
  return family === 6 && value >> 32n === 0xffffn;
}

/** An address and how many of its bits name the network. */
export interface Prefix {
  readonly address: Address;
  readonly bits: number;
}

export function bitLength({ family }: Address): number {
  return family === 4 ? 32 : 128;
}

/** Reads `10.0.0.0/8` as Go's `netip.ParsePrefix` does, with its errors. */
export function parsePrefix(text: string): { readonly prefix: Prefix } | { readonly error: string } {
  const fail = (message: string): { readonly error: string } => ({
    error: `netip.ParsePrefix(${goQuote(text)}): ${message}`,
  });
  const slash = text.lastIndexOf('/');
  if (slash < 0) return fail("no '/'");
  const parsed = parseAddress(text.slice(0, slash));
  if ('error' in parsed) return fail(parsed.error);
  if (parsed.zone !== '') return fail('IPv6 zones cannot be present in a prefix');
  const bits = text.slice(slash + 1);
  if (!/^(?:0|[1-9][0-9]*)$/.test(bits)) return fail(`bad bits after slash: ${goQuote(bits)}`);
  if (Number(bits) > bitLength(parsed.address)) return fail('prefix length out of range');
  return { prefix: { address: parsed.address, bits: Number(bits) } };
}

/** The prefix with its host bits cleared. */
export function masked({ address, bits }: Prefix): Prefix {
  const host = BigInt(bitLength(address) - bits);
  return { address: { ...address, value: (address.value >> host) << host }, bits };
}
