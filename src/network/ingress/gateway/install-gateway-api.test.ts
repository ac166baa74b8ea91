import { afterEach, beforeEach, expect, it } from 'vitest';
import { customresourcedefinitions } from '../../../api/apiextensions/v1.gen.ts';
import { systemClock } from '../../../base/clock.ts';
import { startTestServer, type TestServer } from '../../../reconcile/test-server.ts';
import { gatewayClasses, gateways, grpcRoutes, httpRoutes, type HttpRoute } from './gateway-api.ts';
import { gatewayDefinitions } from './gateway-definitions.ts';
import { installGatewayApi } from './install-gateway-api.ts';

let server: TestServer;
const signal = new AbortController().signal;
beforeEach(async () => {
  server = await startTestServer([]);
});
afterEach(() => server.stop());

const metadata = { name: 'x', namespace: 'default' };

function route(spec: object): HttpRoute {
  return { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', metadata, spec };
}

it('leaves what somebody else installed as it is', async () => {
  const crds = server.client.for(customresourcedefinitions);
  const [first] = gatewayDefinitions();
  if (!first) throw new Error('there are no definitions');
  const annotations = { ...first.metadata.annotations, 'gateway.networking.k8s.io/bundle-version': 'v1.9.9' };
  await crds.create({ ...first, metadata: { ...first.metadata, annotations } });
  await installGatewayApi(server.client, systemClock, signal);
  await installGatewayApi(server.client, systemClock, signal);
  const { items } = await crds.list();
  expect(
    items.map(({ metadata: { name, annotations: found } }) => [
      name,
      found?.['gateway.networking.k8s.io/bundle-version'],
    ]),
  ).toEqual([
    ['gatewayclasses.gateway.networking.k8s.io', 'v1.9.9'],
    ['gateways.gateway.networking.k8s.io', 'v1.4.1'],
    ['grpcroutes.gateway.networking.k8s.io', 'v1.4.1'],
    ['httproutes.gateway.networking.k8s.io', 'v1.4.1'],
    ['referencegrants.gateway.networking.k8s.io', 'v1.4.1'],
  ]);
  expect(await server.client.for(gatewayClasses).get({ name: 'kanoe' })).toMatchObject({
    spec: { controllerName: 'kanoe.io/gateway' },
    status: { conditions: [{ type: 'Accepted', status: 'Unknown', reason: 'Pending' }] },
  });
});

it('fills in defaults and refuses what the Gateway API refuses', async () => {
  await installGatewayApi(server.client, systemClock, signal);
  const routes = server.client.for(httpRoutes);
  expect(
    await routes.create(
      route({ parentRefs: [{ name: 'g' }], rules: [{ backendRefs: [{ name: 's', port: 80 }] }] }),
    ),
  ).toMatchObject({
    spec: {
      parentRefs: [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'g' }],
      rules: [
        {
          matches: [{ path: { type: 'PathPrefix', value: '/' } }],
          backendRefs: [{ group: '', kind: 'Service', name: 's', port: 80, weight: 1 }],
        },
      ],
    },
  });
  const redirect = { type: 'RequestRedirect', requestRedirect: { scheme: 'https' } };
  const rewrite = {
    type: 'URLRewrite',
    urlRewrite: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/' } },
  };
  const backendRefs = [{ name: 's', port: 80 }];
  for (const [rule, message] of [
    [{ backendRefs: [{ name: 's' }] }, 'Must have port for Service reference'],
    [{ matches: [{ path: { value: 'x' } }] }, "value must be an absolute path and start with '/'"],
    [{ matches: [{ path: { value: '/a//b' } }] }, "must not contain '//'"],
    [
      { filters: [redirect, rewrite] },
      'May specify either httpRouteFilterRequestRedirect or httpRouteFilterRequestRewrite',
    ],
    [
      { filters: [redirect], backendRefs },
      'RequestRedirect filter must not be used together with backendRefs',
    ],
    [{ filters: [{ type: 'URLRewrite' }] }, 'filter.urlRewrite must be specified for URLRewrite filter.type'],
    [
      { filters: [rewrite], matches: [{ path: { type: 'Exact', value: '/a' } }] },
      'exactly one PathPrefix match must be specified',
    ],
    [
      { timeouts: { request: '1s', backendRequest: '2s' } },
      'backendRequest timeout cannot be longer than request timeout',
    ],
  ] as const)
    await expect(routes.create(route({ rules: [rule] }), { dryRun: true })).rejects.toThrow(message);
  const parentRefs = [{ name: 'g' }, { name: 'g' }];
  await expect(routes.create(route({ parentRefs }), { dryRun: true })).rejects.toThrow(
    'sectionName must be unique',
  );
  const gateway = (listeners: readonly object[]): Promise<unknown> =>
    server.client.for(gateways).create(
      {
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'Gateway',
        metadata,
        spec: { gatewayClassName: 'kanoe', listeners: listeners as never },
      },
      { dryRun: true },
    );
  const http = { name: 'a', port: 80, protocol: 'HTTP' };
  await expect(gateway([http, { ...http, name: 'b' }])).rejects.toThrow(
    'Combination of port, protocol and hostname',
  );
  await expect(gateway([{ ...http, tls: {} }])).rejects.toThrow(
    "tls must not be specified for protocols ['HTTP', 'TCP', 'UDP']",
  );
  await expect(gateway([http])).resolves.toMatchObject({
    spec: { listeners: [{ allowedRoutes: { namespaces: { from: 'Same' } } }] },
  });
  await expect(
    server.client.for(grpcRoutes).create(
      {
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'GRPCRoute',
        metadata,
        spec: { rules: [{ matches: [{ method: { service: 'a/b' } }] }] },
      },
      { dryRun: true },
    ),
  ).rejects.toThrow('service must only contain valid characters');
});
