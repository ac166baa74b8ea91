import { describe, expect, it } from 'vitest';
import { formatIpv6Range } from '../base/ipv6.ts';
import { formatNetworks, parseNetworks } from './cidr.ts';
import { askedIpv6Networks, localIpv6Networks } from './ipv6-networks.ts';

const ask = (pods: string, services: string): ReturnType<typeof askedIpv6Networks> =>
  askedIpv6Networks(parseNetworks(pods, '--pod-cidr'), parseNetworks(services, '--service-cidr'));

describe('networks of two families', () => {
  it('are read in the syntax of kube-apiserver', () => {
    const text = '10.96.0.0/16,fd00:10:96::/112';
    expect(formatNetworks(parseNetworks(text, '--service-cidr'))).toBe(text);
    expect(ask('10.244.0.0/16', '10.96.0.0/16')).toBeUndefined();
    const found = ask('10.244.0.0/16,fd00:10:244::/56', text);
    expect(found && Object.values(found).map(formatIpv6Range)).toEqual([
      'fd00:10:244::/56',
      'fd00:10:96::/112',
    ]);
  });

  it.each([
    ['fd00:10:244::/56', '10.96.0.0/16', 'a cluster has an IPv4 network, or one of each family'],
    ['fd00:10:244::/56,10.244.0.0/16', '10.96.0.0/16', 'with that of IPv4 first'],
    ['10.244.0.0/16,10.245.0.0/16', '10.96.0.0/16', '"10.245.0.0/16" is not an IPv6 network'],
    ['10.244.0.0/16,fd00::1/56', '10.96.0.0/16', 'has host bits set; the network is fd00::/56'],
    ['10.244.0.0/16,fd00::/56', '10.96.0.0/16', '--pod-cidr has an IPv6 network and --service-cidr has none'],
    ['10.244.0.0/16,fd00::/60', '10.96.0.0/16,fd01::/112', 'use a /56 or larger'],
    ['10.244.0.0/16,fd00::/56', '10.96.0.0/16,fd01::/48', 'has from /64 to /123'],
    ['10.244.0.0/16,fd00::/48', '10.96.0.0/16,fd00:0:0:1::/112', 'overlap'],
  ])('are refused: pods %s, services %s', (pods, services, message) => {
    expect(() => ask(pods, services)).toThrow(message);
  });

  it('are private where nobody chose them, and differ between clusters', () => {
    const [one, other] = [localIpv6Networks('ab12cd'), localIpv6Networks('ab12cd')];
    expect(formatIpv6Range(one.podCidr)).toMatch(/^fdab:12cd:[0-9a-f]{1,4}::\/56$/);
    expect(formatIpv6Range(one.serviceCidr)).toMatch(/^fdab:12cd:[0-9a-f]{1,4}:100::\/112$/);
    expect(one.podCidr.network >> 64n).not.toBe(one.serviceCidr.network >> 64n);
    expect(typeof other.podCidr.network).toBe('bigint');
  });
});
