import { isIP, isIPv4 } from 'node:net';
import { type FieldError, invalid } from '../../../machinery/field-error.ts';

const notAnAddress = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const notARange = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

function hasLeadingZeros(address: string): boolean {
  const octets = address.split('.');
  return (
    octets.length === 4 &&
    octets.every((octet) => /^[0-9]{1,3}$/.test(octet)) &&
    octets.some((octet) => /^0[0-9]/.test(octet))
  );
}

/** An address as new objects must write it: no leading zeros, no IPv4 inside IPv6. */
export function validateIp(address: string, field: string): FieldError[] {
  if (hasLeadingZeros(address)) return [invalid(field, address, 'must not have leading 0s')];
  if (isIP(address) === 0 || address.includes('%')) return [invalid(field, address, notAnAddress)];
  if (/^::ffff:.*\./i.test(address))
    return [invalid(field, address, 'must not be an IPv4-mapped IPv6 address')];
  return [];
}

/** `10.0.0.0/8`. */
export function validateCidr(cidr: string, field: string): FieldError[] {
  const [address = '', length = '', ...rest] = cidr.split('/');
  const bits = Number(length);
  const max = isIPv4(address) ? 32 : 128;
  const valid = rest.length === 0 && isIP(address) !== 0 && /^[0-9]{1,3}$/.test(length) && bits <= max;
  if (!valid && hasLeadingZeros(address)) return [invalid(field, cidr, 'must not have leading 0s in IP')];
  return valid ? [] : [invalid(field, cidr, notARange)];
}

/** `IPv4`, `IPv6`, or nothing for a text that is no address. */
export function ipFamily(address: string): 'IPv4' | 'IPv6' | undefined {
  const version = isIP(address);
  return version === 0 ? undefined : version === 4 ? 'IPv4' : 'IPv6';
}

/** Whether there are at most two addresses (or ranges), of different families. */
export function isDualStack(addresses: readonly string[]): boolean {
  const families = new Set(addresses.map((address) => ipFamily(address.split('/')[0] ?? '')));
  return families.size === 2 && addresses.length === 2;
}
