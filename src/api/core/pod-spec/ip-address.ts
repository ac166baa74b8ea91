import { isIP } from 'node:net';
import { type FieldError, invalid } from '../../../machinery/field-error.ts';

const notAnAddress = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';

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
