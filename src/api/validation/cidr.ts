import { isIP } from 'node:net';
import { type FieldError, invalid } from '../../machinery/field-error.ts';

const malformed = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

/** An address range taken apart; numbers may have leading zeros, as upstream's sloppy parser allows. */
export interface ParsedCidr {
  readonly family: 4 | 6;
  /** All bits of the address as it is written. */
  readonly address: bigint;
  readonly prefix: number;
}

/** Reads `10.0.0.0/8` or `fd00::/8`; undefined when it is neither. */
export function parseCidr(text: string): ParsedCidr | undefined {
  const slash = text.indexOf('/');
  const length = text.slice(slash + 1);
  const written = text.slice(0, Math.max(0, slash));
  const plain = written.replaceAll(/(^|\.)0+(?=\d)/g, '$1');
  const family = isIP(isIP(written) === 6 ? written : plain);
  if ((family !== 4 && family !== 6) || !/^[0-9]{1,4}$/.test(length)) return undefined;
  const prefix = Number(length);
  if (prefix > (family === 4 ? 32 : 128)) return undefined;
  return { family, address: family === 4 ? ipv4Bits(plain) : ipv6Bits(written), prefix };
}

function ipv4Bits(address: string): bigint {
  return address.split('.').reduce((sum, octet) => sum * 256n + BigInt(octet), 0n);
}

function ipv6Bits(address: string): bigint {
  const canonical = canonicalIpv6(address);
  const [head = '', tail] = canonical.split('::');
  const groups = (part: string | undefined): string[] => (part ? part.split(':') : []);
  const [before, after] = [groups(head), groups(tail)];
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0');
  return [...before, ...(tail === undefined ? [] : zeros), ...after].reduce(
    (sum, group) => sum * 65_536n + BigInt(`0x${group}`),
    0n,
  );
}

/** The shortest form of an IPv6 address (RFC 5952). */
export function canonicalIpv6(address: string): string {
  return new URL(`http://[${address}]`).hostname.slice(1, -1);
}

function hostBits({ family, address, prefix }: ParsedCidr): bigint {
  return address & ((1n << BigInt((family === 4 ? 32 : 128) - prefix)) - 1n);
}

/** A range as new objects must write it: no leading zeros, no IPv4 inside IPv6, nothing beyond the prefix. */
export function validateStrictCidr(text: string, field: string): FieldError[] {
  const parsed = parseCidr(text);
  if (!parsed) return [invalid(field, text, malformed)];
  const [address = '', length = ''] = text.split('/');
  if (isIP(address) === 0 || String(parsed.prefix) !== length) {
    return [invalid(field, text, 'must not have leading 0s in IP or prefix length')];
  }
  if (/^::ffff:/i.test(address) && parsed.family === 6 && parsed.address >> 32n === 0xffffn) {
    return [invalid(field, text, 'must not have an IPv4-mapped IPv6 address')];
  }
  return hostBits(parsed) === 0n
    ? []
    : [invalid(field, text, 'must not have bits set beyond the prefix length')];
}

/** The same for fields that want the one canonical form of a range. */
export function validateCanonicalCidr(text: string, field: string): FieldError[] {
  const errors = validateStrictCidr(text, field);
  if (errors.length > 0) return errors;
  const [address = '', length = ''] = text.split('/');
  const canonical = isIP(address) === 6 ? `${canonicalIpv6(address)}/${length}` : text;
  return canonical === text ? [] : [invalid(field, text, `must be in canonical form ("${canonical}")`)];
}

/** Whether all of `inner` lies in `outer` and `outer` is larger. */
export function isStrictSubset(inner: ParsedCidr, outer: ParsedCidr): boolean {
  if (inner.family !== outer.family || outer.prefix >= inner.prefix) return false;
  const shift = BigInt((outer.family === 4 ? 32 : 128) - outer.prefix);
  return inner.address >> shift === outer.address >> shift;
}
