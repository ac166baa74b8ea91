import { describe, expect, it } from 'vitest';
import type { Service } from '../../api/core/v1.gen.ts';
import { parseIpv4Range } from '../../base/ipv4.ts';
import { parseIpv6Range } from '../../base/ipv6.ts';
import { planIngress } from './plan.ts';

const range = parseIpv4Range('10.244.255.0/30') ?? { network: 0, prefix: 0, size: 0 };

function service(spec: Service['spec'], ip?: string): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'default', name: 'web' },
    spec,
    status: { loadBalancer: ip === undefined ? {} : { ingress: [{ ip, ipMode: 'VIP' }] } },
  };
}

const balancer = { type: 'LoadBalancer' } as const;

describe('addresses of load balancers', () => {
  it.each<[string, Service, readonly string[], readonly string[] | undefined]>([
    ['gives the lowest free address', service(balancer), ['10.244.255.1'], ['10.244.255.2']],
    ['keeps the address it has', service(balancer, '10.244.255.2'), [], ['10.244.255.2']],
    [
      'gives the address that is asked for',
      service({ ...balancer, loadBalancerIP: '10.244.255.2' }),
      [],
      ['10.244.255.2'],
    ],
    [
      'gives another when the one asked for is not its own to give',
      service({ ...balancer, loadBalancerIP: '192.0.2.1' }),
      [],
      ['10.244.255.1'],
    ],
    [
      'moves off an address that another service has',
      service(balancer, '10.244.255.1'),
      ['10.244.255.1'],
      ['10.244.255.2'],
    ],
    ['has none when all are taken', service(balancer), ['10.244.255.1', '10.244.255.2'], undefined],
    ['leaves classes to others', service({ ...balancer, loadBalancerClass: 'example.com/x' }), [], []],
    ['takes the address back', service({ type: 'ClusterIP' }, '10.244.255.1'), [], []],
  ])('%s', (_, given, taken, expected) => {
    expect(planIngress(given, { range }, new Set(taken))?.map(({ ip }) => ip)).toEqual(expected);
  });

  const pair = {
    ipv4: parseIpv4Range('10.244.0.0/16') ?? range,
    ipv6: parseIpv6Range('fd00:10:244::/56') ?? { network: 0n, prefix: 0 },
  };
  it.each<[string, Service, readonly string[], readonly string[]]>([
    [
      'of both families that go together',
      service({ ...balancer, ipFamilies: ['IPv4', 'IPv6'] }),
      ['fd00:10:244:ff::1'],
      ['10.244.255.2', 'fd00:10:244:ff::2'],
    ],
    ['of one family alone', service({ ...balancer, ipFamilies: ['IPv6'] }), [], ['fd00:10:244:ff::1']],
    [
      'beside the one it had',
      service({ ...balancer, ipFamilies: ['IPv6', 'IPv4'] }, '10.244.255.2'),
      [],
      ['fd00:10:244:ff::2', '10.244.255.2'],
    ],
  ])('gives addresses %s', (_, given, taken, expected) => {
    expect(planIngress(given, { range, pair }, new Set(taken))?.map(({ ip }) => ip)).toEqual(expected);
  });
});
