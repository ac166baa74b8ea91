import { BlockList, isIP, isIPv4 } from 'node:net';
import { type FieldError, invalid } from '../../machinery/field-error.ts';

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

const LINK_LOCAL = new BlockList();
LINK_LOCAL.addSubnet('169.254.0.0', 16, 'ipv4');
LINK_LOCAL.addSubnet('fe80::', 10, 'ipv6');

const LINK_LOCAL_MULTICAST = new BlockList();
LINK_LOCAL_MULTICAST.addSubnet('224.0.0.0', 24, 'ipv4');
LINK_LOCAL_MULTICAST.addSubnet('ff02::', 10, 'ipv6');

const UNSPECIFIED: readonly string[] = ['0.0.0.0', '::'];

/** Why an address cannot be that of an endpoint: it must be reachable from other machines. */
export function validateEndpointAddress(address: string, path: string): FieldError[] {
  if (isIP(address) === 0) return [invalid(path, address, 'must be a valid IP address')];
  const family = isIPv4(address) ? 'ipv4' : 'ipv6';
  const errors: FieldError[] = [];
  if (UNSPECIFIED.includes(address)) {
    errors.push(invalid(path, address, `may not be unspecified (${address})`));
  }
  if (LOOPBACK.check(address, family)) {
    errors.push(invalid(path, address, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'));
  }
  if (LINK_LOCAL.check(address, family)) {
    errors.push(invalid(path, address, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'));
  }
  if (LINK_LOCAL_MULTICAST.check(address, family)) {
    errors.push(
      invalid(path, address, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'),
    );
  }
  return errors;
}
