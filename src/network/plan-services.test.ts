import { describe, expect, it } from 'vitest';
import type { Service } from '../api/core/v1.gen.ts';
import type { EndpointSlice } from '../api/discovery/v1.gen.ts';
import { planHostPort, planService } from './plan-services.ts';

const nodes = [
  { name: 'one', range: '10.244.0.0/24' },
  { name: 'two', range: '10.244.1.0/24' },
];

function service(spec: Service['spec'], status?: Service['status']): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace: 'default', name: 'web' },
    spec: { clusterIP: '10.96.0.20', ports: [{ port: 80, protocol: 'TCP' }], ...spec },
    ...(status && { status }),
  };
}

type Endpoint = EndpointSlice['endpoints'][number];

function slice(
  endpoints: readonly Endpoint[],
  ports: EndpointSlice['ports'] = [{ name: '', port: 8080, protocol: 'TCP' }],
): EndpointSlice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { namespace: 'default', name: 'web-1' },
    addressType: 'IPv4',
    endpoints,
    ports,
  };
}

function endpoint(
  ip: string,
  conditions: Endpoint['conditions'] = { ready: true },
  nodeName: string = 'one',
): Endpoint {
  return { addresses: [ip], conditions, nodeName };
}

const dying = { ready: false, serving: true, terminating: true };

describe('endpoints of a service', () => {
  it.each<[string, readonly Endpoint[], readonly string[]]>([
    [
      'are those that are ready',
      [endpoint('10.244.0.3'), endpoint('10.244.0.2'), endpoint('10.244.0.4', { ready: false })],
      ['10.244.0.2', '10.244.0.3'],
    ],
    ['count as ready when nothing is said', [endpoint('10.244.0.2', {})], ['10.244.0.2']],
    [
      'are not the terminating ones while another is ready',
      [endpoint('10.244.0.2'), endpoint('10.244.0.3', dying)],
      ['10.244.0.2'],
    ],
    [
      'are the terminating ones that serve when none is ready',
      [endpoint('10.244.0.3', dying), endpoint('10.244.0.4', { ...dying, serving: false })],
      ['10.244.0.3'],
    ],
  ])('%s', (_, endpoints, expected) => {
    const [port] = planService(service({}), [slice(endpoints)], { nodes });
    expect(port?.endpoints.map(({ ip }) => ip)).toEqual(expected);
  });

  it('are matched to ports by name and protocol, over all slices', () => {
    const ports = [
      { name: 'web', port: 80, protocol: 'TCP' },
      { name: 'dns', port: 53, protocol: 'UDP' },
    ] as const;
    const slices = [
      slice([endpoint('10.244.0.2')], [{ name: 'web', port: 8080, protocol: 'TCP' }]),
      slice([endpoint('10.244.0.3')], [{ name: 'web', port: 9090, protocol: 'TCP' }]),
      slice([endpoint('10.244.0.4')], [{ name: 'dns', port: 5353, protocol: 'UDP' }]),
    ];
    expect(
      planService(service({ ports }), slices, { nodes }).map(({ key, endpoints }) => [key, endpoints]),
    ).toEqual([
      [
        'default/web/tcp/80',
        [
          { ip: '10.244.0.2', port: 8080 },
          { ip: '10.244.0.3', port: 9090 },
        ],
      ],
      ['default/web/udp/53', [{ ip: '10.244.0.4', port: 5353 }]],
    ]);
  });

  it('are kept apart by node when internal traffic is to stay local', () => {
    const endpoints = [endpoint('10.244.0.2'), endpoint('10.244.1.2', dying, 'two')];
    const [port] = planService(service({ internalTrafficPolicy: 'Local' }), [slice(endpoints)], { nodes });
    expect(port?.nodeEndpoints).toEqual([
      { range: '10.244.0.0/24', endpoints: [{ ip: '10.244.0.2', port: 8080 }] },
      { range: '10.244.1.0/24', endpoints: [{ ip: '10.244.1.2', port: 8080 }] },
    ]);
  });
});

describe('hints of endpoints', () => {
  const hinted = (ip: string, zones: readonly string[], nodeNames: readonly string[] = []): Endpoint => ({
    ...endpoint(ip),
    hints: {
      forZones: zones.map((name) => ({ name })),
      forNodes: nodeNames.map((name) => ({ name })),
    },
  });
  const a = hinted('10.244.0.2', ['a'], ['one']);
  const b = hinted('10.244.1.2', ['b'], ['two']);
  const where = { name: 'one', zone: 'b' };

  it.each([
    { title: 'are followed to the node', endpoints: [a, b], node: where, expected: '10.244.0.2' },
    {
      title: 'are followed to the zone when the node has none',
      endpoints: [a, b],
      node: { name: 'three', zone: 'b' },
      expected: '10.244.1.2',
    },
    {
      title: 'are not followed when an endpoint has none',
      endpoints: [a, endpoint('10.244.1.2')],
      node: where,
      expected: '10.244.0.2 10.244.1.2',
    },
    {
      title: 'are not followed to where nothing is',
      endpoints: [a, b],
      node: { name: 'three', zone: 'c' },
      expected: '10.244.0.2 10.244.1.2',
    },
    {
      title: 'are not followed by nodes without a zone',
      endpoints: [hinted('10.244.0.2', ['a']), hinted('10.244.1.2', ['b'])],
      node: { name: 'one' },
      expected: '10.244.0.2 10.244.1.2',
    },
    {
      title: 'of endpoints that are not ready do not count',
      endpoints: [a, b, endpoint('10.244.0.9', { ready: false })],
      node: where,
      expected: '10.244.0.2',
    },
  ])('$title', ({ endpoints, node, expected }) => {
    const [own] = planService(service({}), [slice(endpoints)], { node });
    expect(own?.endpoints.map(({ ip }) => ip).join(' ')).toBe(expected);
    const shared = { nodes: [{ ...node, range: '10.244.0.0/24' }] };
    const [port] = planService(service({}), [slice(endpoints)], shared);
    expect(port?.nodeEndpoints?.[0]?.endpoints.map(({ ip }) => ip).join(' ')).toBe(expected);
  });
});

describe('where a service answers', () => {
  it.each<[string, Service, readonly string[]]>([
    ['a cluster address', service({}), ['clusterIP 10.96.0.20:80']],
    ['nothing when headless', service({ clusterIP: 'None' }), []],
    ['nothing for an external name', service({ type: 'ExternalName', externalName: 'example.com' }), []],
    [
      'a node port and external addresses',
      service({ type: 'NodePort', ports: [{ port: 80, nodePort: 30_080 }], externalIPs: ['198.51.100.1'] }),
      ['clusterIP 10.96.0.20:80', 'externalIP 198.51.100.1:80', 'nodePort *:30080'],
    ],
    [
      'a load balancer without an address yet',
      service({ type: 'LoadBalancer', ports: [{ port: 80, nodePort: 30_080 }] }),
      ['clusterIP 10.96.0.20:80', 'nodePort *:30080'],
    ],
    [
      'a load balancer on its address and on the machine',
      service(
        { type: 'LoadBalancer' },
        { loadBalancer: { ingress: [{ ip: '10.244.255.1', ipMode: 'VIP' }] } },
      ),
      ['clusterIP 10.96.0.20:80', 'loadBalancer 10.244.255.1:80', 'loadBalancer *:80'],
    ],
    [
      'a load balancer that another implementation serves by proxy',
      service(
        { type: 'LoadBalancer' },
        {
          loadBalancer: { ingress: [{ ip: '203.0.113.1', ipMode: 'Proxy' }, { hostname: 'lb.example.com' }] },
        },
      ),
      ['clusterIP 10.96.0.20:80'],
    ],
  ])('%s', (_, given, expected) => {
    const frontends = planService(given, [], { nodes }).flatMap((port) => port.frontends);
    expect(frontends.map(({ role, address = '*', port }) => `${role} ${address}:${port}`)).toEqual(expected);
  });

  it('keeps clients for as long as the service says', () => {
    const [three] = planService(service({ sessionAffinity: 'ClientIP' }), [], { nodes });
    const [short] = planService(
      service({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 5 } } }),
      [],
      { nodes },
    );
    expect([three?.affinitySeconds, short?.affinitySeconds]).toEqual([10_800, 5]);
  });
});

describe('host ports', () => {
  const mapping = {
    sandboxId: 's',
    podIP: '10.244.0.2',
    protocol: 'TCP',
    containerPort: 80,
    hostPort: 8080,
  } as const;

  it.each<[string | undefined, object]>([
    [undefined, { role: 'hostPort', port: 8080 }],
    ['0.0.0.0', { role: 'hostPort', port: 8080 }],
    ['127.0.0.1', { role: 'hostPort', address: '127.0.0.1', port: 8080 }],
  ])('with host address %s', (hostIP, expected) => {
    const [port] = planHostPort({ ...mapping, ...(hostIP !== undefined && { hostIP }) });
    expect([port?.frontends, port?.endpoints]).toEqual([[expected], [{ ip: '10.244.0.2', port: 80 }]]);
  });

  it.each<[string | undefined, readonly string[]]>([
    [undefined, ['*:8080 10.244.0.2', '*:8080 fd00::2']],
    ['0.0.0.0', ['*:8080 10.244.0.2']],
    ['::', ['*:8080 fd00::2']],
    ['fd00::1', ['fd00::1:8080 fd00::2']],
  ])('of a pod of two families with host address %s', (hostIP, expected) => {
    const ports = planHostPort({ ...mapping, podIPv6: 'fd00::2', ...(hostIP !== undefined && { hostIP }) });
    expect(
      ports.map(
        ({ frontends: [frontend], endpoints: [endpoint] }) =>
          `${frontend?.address ?? '*'}:${frontend?.port} ${endpoint?.ip}`,
      ),
    ).toEqual(expected);
  });
});

describe('the IPv6 side of a service', () => {
  const dual = service(
    {
      type: 'LoadBalancer',
      clusterIP: 'fd00:10:96::20',
      clusterIPs: ['fd00:10:96::20', '10.96.0.20'],
      ipFamilies: ['IPv6', 'IPv4'],
      externalIPs: ['203.0.113.9', '2001:db8::9'],
      internalTrafficPolicy: 'Local',
      loadBalancerSourceRanges: ['10.0.0.0/8'],
      ports: [{ port: 80, protocol: 'TCP', nodePort: 30_080 }],
    },
    {
      loadBalancer: {
        ingress: [
          { ip: 'fd00:10:244:ff::1', ipMode: 'VIP' },
          { ip: '10.244.255.1', ipMode: 'VIP' },
        ],
      },
    },
  );
  const slices: readonly EndpointSlice[] = [
    slice([endpoint('10.244.0.2')]),
    { ...slice([endpoint('fd00:10:244::2')]), addressType: 'IPv6' },
  ];
  const places = nodes.map((node, at) => ({ ...node, ipv6Range: `fd00:10:244:${at}::/64` }));

  it.each([
    {
      family: 'IPv4',
      frontends: ['10.96.0.20:80', '203.0.113.9:80', '*:30080', '10.244.255.1:80', '*:80'],
      ip: '10.244.0.2',
      sourceRanges: ['10.0.0.0/8'],
      range: '10.244.0.0/24',
    },
    {
      family: 'IPv6',
      frontends: ['fd00:10:96::20:80', '2001:db8::9:80', '*:30080', 'fd00:10:244:ff::1:80', '*:80'],
      ip: 'fd00:10:244::2',
      sourceRanges: [],
      range: 'fd00:10:244:0::/64',
    },
  ] as const)('has what is $family', ({ family, frontends, ip, sourceRanges, range }) => {
    const [port] = planService(dual, slices, { nodes: places }, family);
    expect(port?.frontends.map(({ address = '*', port }) => `${address}:${port}`)).toEqual(frontends);
    expect(port).toMatchObject({
      key: `default/web/tcp/80${family === 'IPv6' ? '/IPv6' : ''}`,
      endpoints: [{ ip, port: 8080 }],
      sourceRanges,
    });
    expect(port?.nodeEndpoints?.[0]).toEqual({ range, endpoints: [{ ip, port: 8080 }] });
  });

  it('is not there for a service of IPv4 alone', () => {
    const single = service({ clusterIPs: ['10.96.0.20'], externalIPs: ['2001:db8::9'] });
    expect(planService(single, slices, { nodes: places }, 'IPv6')).toEqual([]);
  });
});
