import { describe, expect, it } from 'vitest';
import { formatIpv4Range } from '../base/ipv4.ts';
import { freeNetwork, nodeRange, nthAddress, overlaps, parseCidr } from './cidr.ts';

describe('networks', () => {
  it.each([
    ['10.96.0.0', 'is not an IPv4 network'],
    ['10.96.0.1/16', 'has host bits set; the network is 10.96.0.0/16'],
    ['300.0.0.0/8', 'is not an IPv4 network'],
    ['10.0.0.0/33', 'is not an IPv4 network'],
  ])('refuses %s', (text, message) => {
    expect(() => parseCidr(text, '--pod-cidr')).toThrow(message);
  });

  it('counts addresses and subnets', () => {
    const network = parseCidr('10.96.0.0/16', '--service-cidr');
    expect(nthAddress(network, 10)).toBe('10.96.0.10');
    expect(nthAddress(network, 300)).toBe('10.96.1.44');
    expect(formatIpv4Range(nodeRange(network, 3))).toBe('10.96.3.0/24');
  });

  it('knows what overlaps', () => {
    const a = parseCidr('10.96.0.0/12', 'a');
    expect(overlaps(a, parseCidr('10.100.0.0/16', 'b'))).toBe(true);
    expect(overlaps(a, parseCidr('10.112.0.0/16', 'b'))).toBe(false);
  });

  it('takes the next network when one is taken', () => {
    expect(formatIpv4Range(freeNetwork(244, []))).toBe('10.244.0.0/16');
    expect(formatIpv4Range(freeNetwork(244, [parseCidr('10.244.3.0/24', 'x')]))).toBe('10.245.0.0/16');
    expect(formatIpv4Range(freeNetwork(255, [parseCidr('10.255.0.0/16', 'x')]))).toBe('10.0.0.0/16');
  });
});
