import { describe, expect, it } from 'vitest';
import type { Service } from '../../../api/core/v1.gen.ts';
import type { Live } from '../../../machinery/object.ts';
import { createRouteTable } from '../proxy/route-table.ts';
import {
  gatewayController,
  type Gateway,
  type GatewayClass,
  type GrpcRoute,
  type HttpRoute,
  type HttpRouteRule,
  type Listener,
  type ReferenceGrant,
  type RouteFilter,
} from './gateway-api.ts';
import { hostnamesInCommon } from './hostnames.ts';
import { planGateways, type GatewayPlan, type GatewayWorld } from './plan-gateways.ts';
import { durationMs } from './plan-rules.ts';

const apiVersion = 'gateway.networking.k8s.io/v1';

function meta(name: string, namespace: string | undefined, age: number = 0): Live<HttpRoute>['metadata'] {
  return {
    name,
    ...(namespace !== undefined && { namespace }),
    uid: `${namespace}/${name}`,
    resourceVersion: '1',
    creationTimestamp: `2026-01-0${age + 1}T00:00:00Z`,
  };
}

const ours: Live<GatewayClass> = {
  apiVersion,
  kind: 'GatewayClass',
  metadata: meta('kanoe', undefined),
  spec: { controllerName: gatewayController },
};

const http: Listener = { name: 'http', port: 80, protocol: 'HTTP' };

function gateway(...listeners: readonly Listener[]): Live<Gateway> {
  return {
    apiVersion,
    kind: 'Gateway',
    metadata: meta('main', 'infra'),
    spec: { gatewayClassName: 'kanoe', listeners },
  };
}

interface RouteOptions {
  readonly name?: string;
  readonly namespace?: string;
  readonly age?: number;
  readonly hostnames?: readonly string[];
  readonly sectionName?: string;
  readonly port?: number;
}

function route(rules: readonly HttpRouteRule[], options: RouteOptions = {}): Live<HttpRoute> {
  const { name = 'web', namespace = 'infra', age = 0, hostnames, ...ref } = options;
  return {
    apiVersion,
    kind: 'HTTPRoute',
    metadata: meta(name, namespace, age),
    spec: {
      parentRefs: [{ name: 'main', namespace: 'infra', ...ref }],
      ...(hostnames && { hostnames }),
      rules,
    },
  };
}

const to = (name: string): HttpRouteRule => ({ backendRefs: [{ name, port: 80 }] });

function service(namespace: string, name: string): Service | undefined {
  if (name === 'missing') return undefined;
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { namespace, name },
    spec: { ports: [{ port: 80 }] },
  };
}

function plan(world: Partial<GatewayWorld>): GatewayPlan {
  return planGateways({
    classes: [ours],
    gateways: [gateway(http)],
    httpRoutes: [],
    grpcRoutes: [],
    grants: [],
    labelsOf: (namespace) => ({ team: namespace }),
    service,
    secret: () => undefined,
    ...world,
  });
}

function reasons(planned: GatewayPlan): readonly string[] {
  const [first] = planned.routes;
  return (first?.parents[0]?.conditions ?? []).map(
    ({ type, status, reason }) => `${type}=${status}:${reason}`,
  );
}

function answering(
  planned: GatewayPlan,
  url: string,
  headers: readonly string[] = [],
  method = 'GET',
): string {
  const { hostname, pathname, search } = new URL(url);
  const port = planned.gateways[0]?.ports[0];
  const table = createRouteTable(port?.scopes ?? []);
  const found = table.find({ host: hostname, path: pathname, query: search, headers, method });
  const [backend] = found?.backends ?? [];
  return found ? (backend?.upstream ?? String(backend?.status)) : '404';
}

describe('hostnames', () => {
  it.each<[string | undefined, readonly string[] | undefined, readonly string[]]>([
    [undefined, undefined, ['']],
    ['a.example', undefined, ['a.example']],
    [undefined, ['a.example', '*.b.example'], ['a.example', '**.b.example']],
    ['*.example.com', ['test.example.com', 'x.y.example.com'], ['test.example.com', 'x.y.example.com']],
    ['*.example.com', ['example.com'], []],
    ['test.example.com', ['*.example.com', '*.com'], ['test.example.com', 'test.example.com']],
    ['*.example.com', ['*.com'], ['**.example.com']],
    ['*.example.com', ['*.foo.example.com'], ['**.foo.example.com']],
    ['a.example', ['b.example'], []],
  ])('%s and %s', (listener, hostnames, expected) => {
    expect(hostnamesInCommon(listener, hostnames)).toEqual(expected);
  });
});

describe('attaching', () => {
  const all = (listener: Listener): Listener => ({
    ...listener,
    allowedRoutes: { namespaces: { from: 'All' } },
  });
  const selector = { matchLabels: { team: 'shop' } };
  it.each<[string, readonly Listener[], RouteOptions, string]>([
    ['from the same namespace', [http], {}, 'True:Accepted'],
    ['from another', [http], { namespace: 'shop' }, 'False:NotAllowedByListeners'],
    ['from any', [all(http)], { namespace: 'shop' }, 'True:Accepted'],
    [
      'from chosen ones',
      [{ ...http, allowedRoutes: { namespaces: { from: 'Selector', selector } } }],
      { namespace: 'shop' },
      'True:Accepted',
    ],
    [
      'from one that was not chosen',
      [{ ...http, allowedRoutes: { namespaces: { from: 'Selector', selector } } }],
      { namespace: 'other' },
      'False:NotAllowedByListeners',
    ],
    [
      'of a kind that is not allowed',
      [{ ...http, allowedRoutes: { kinds: [{ kind: 'GRPCRoute' }] } }],
      {},
      'False:NotAllowedByListeners',
    ],
    ['to a listener by name', [http], { sectionName: 'http' }, 'True:Accepted'],
    ['to one that does not exist', [http], { sectionName: 'none' }, 'False:NoMatchingParent'],
    ['to a port', [http], { port: 81 }, 'False:NoMatchingParent'],
    [
      'without a common hostname',
      [{ ...http, hostname: 'a.example' }],
      { hostnames: ['b.example'] },
      'False:NoMatchingListenerHostname',
    ],
  ])('%s', (_, listeners, options, expected) => {
    const planned = plan({ gateways: [gateway(...listeners)], httpRoutes: [route([to('web')], options)] });
    expect(reasons(planned)[0]).toBe(`Accepted=${expected}`);
    expect(planned.gateways[0]?.listeners[0]?.attached).toBe(expected.startsWith('True') ? 1 : 0);
  });

  it('leaves Gateways of other controllers and their routes alone', () => {
    const theirs = { ...ours, spec: { controllerName: 'example.com/other' } };
    const planned = plan({ classes: [theirs], httpRoutes: [route([to('web')])] });
    expect([planned.classes, planned.gateways, planned.routes]).toEqual([[], [], []]);
  });
});

describe('references', () => {
  const grant: ReferenceGrant = {
    apiVersion,
    kind: 'ReferenceGrant',
    metadata: { name: 'grant', namespace: 'backends' },
    spec: {
      from: [{ group: 'gateway.networking.k8s.io', kind: 'HTTPRoute', namespace: 'infra' }],
      to: [{ group: '', kind: 'Service', name: 'web' }],
    },
  };
  const across = (name: string): HttpRouteRule => ({
    backendRefs: [{ name, namespace: 'backends', port: 80 }],
  });
  it.each<[string, HttpRouteRule, readonly ReferenceGrant[], readonly [condition: string, answer: string]]>([
    ['a Service', to('web'), [], ['True:ResolvedRefs', 'infra/web:80']],
    ['one that does not exist', to('missing'), [], ['False:BackendNotFound', '500']],
    [
      'a port it does not have',
      { backendRefs: [{ name: 'web', port: 81 }] },
      [],
      ['False:BackendNotFound', '500'],
    ],
    [
      'another kind',
      { backendRefs: [{ kind: 'Bucket', group: 'x.example', name: 'b' }] },
      [],
      ['False:InvalidKind', '500'],
    ],
    ['another namespace', across('web'), [], ['False:RefNotPermitted', '500']],
    ['another namespace with a grant', across('web'), [grant], ['True:ResolvedRefs', 'backends/web:80']],
    ['with a grant for another', across('other'), [grant], ['False:RefNotPermitted', '500']],
  ])('%s', (_, rule, grants, [expected, answer]) => {
    const planned = plan({ httpRoutes: [route([rule])], grants });
    expect(reasons(planned)[1]).toBe(`ResolvedRefs=${expected}`);
    expect(answering(planned, 'http://any/')).toBe(answer);
  });

  it('does not leave out a filter that it does not know', () => {
    const planned = plan({ httpRoutes: [route([{ ...to('web'), filters: [{ type: 'ExtensionRef' }] }])] });
    expect(reasons(planned)[0]).toBe('Accepted=False:UnsupportedValue');
    expect(answering(planned, 'http://any/')).toBe('500');
  });

  it.each<[string, RouteFilter]>([
    [
      'a second field',
      { type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'a', value: 'b\r\nc: d' }] } },
    ],
    [
      'the framing',
      {
        type: 'ResponseHeaderModifier',
        responseHeaderModifier: { add: [{ name: 'Transfer-Encoding', value: 'x' }] },
      },
    ],
    [
      'a second request',
      {
        type: 'URLRewrite',
        urlRewrite: { path: { type: 'ReplaceFullPath', replaceFullPath: '/ HTTP/1.1' } },
      },
    ],
    [
      'a second line',
      {
        type: 'RequestRedirect',
        requestRedirect: { path: { type: 'ReplacePrefixMatch', replacePrefixMatch: '/\n' } },
      },
    ],
  ])('refuses filters that write %s', (_, filter) => {
    const planned = plan({ httpRoutes: [route([{ ...to('web'), filters: [filter] }])] });
    expect(reasons(planned)[0]).toBe('Accepted=False:UnsupportedValue');
    expect(answering(planned, 'http://any/')).toBe('500');
  });

  it('says that a pattern is none', () => {
    const match = { path: { type: 'RegularExpression', value: '/(' } };
    const planned = plan({
      httpRoutes: [route([{ ...to('web'), matches: [match, { path: { value: '/b' } }] }])],
    });
    expect(reasons(planned)[0]).toBe('Accepted=False:UnsupportedValue');
    expect([answering(planned, 'http://any/('), answering(planned, 'http://any/b')]).toEqual([
      '404',
      'infra/web:80',
    ]);
  });
});

describe('listeners', () => {
  const tls = { certificateRefs: [{ name: 'none' }] };
  it.each<[string, readonly Listener[], readonly string[]]>([
    [
      'HTTP',
      [http],
      [
        'Accepted=True:Accepted',
        'Conflicted=False:NoConflicts',
        'ResolvedRefs=True:ResolvedRefs',
        'Programmed=True:Programmed',
      ],
    ],
    [
      'TCP',
      [{ name: 't', port: 1, protocol: 'TCP' }],
      [
        'Accepted=False:UnsupportedProtocol',
        'Conflicted=False:NoConflicts',
        'ResolvedRefs=True:ResolvedRefs',
        'Programmed=False:Invalid',
      ],
    ],
    [
      'two protocols',
      [http, { name: 's', port: 80, protocol: 'HTTPS', tls }],
      [
        'Accepted=False:ProtocolConflict',
        'Conflicted=True:ProtocolConflict',
        'ResolvedRefs=True:ResolvedRefs',
        'Programmed=False:Invalid',
      ],
    ],
    [
      'a certificate that is not there',
      [{ name: 's', port: 443, protocol: 'HTTPS', tls }],
      [
        'Accepted=True:Accepted',
        'Conflicted=False:NoConflicts',
        'ResolvedRefs=False:InvalidCertificateRef',
        'Programmed=False:Invalid',
      ],
    ],
    [
      'a certificate of others',
      [
        {
          name: 's',
          port: 443,
          protocol: 'HTTPS',
          tls: { certificateRefs: [{ name: 'x', namespace: 'other' }] },
        },
      ],
      [
        'Accepted=True:Accepted',
        'Conflicted=False:NoConflicts',
        'ResolvedRefs=False:RefNotPermitted',
        'Programmed=False:Invalid',
      ],
    ],
    [
      'an odd kind of route',
      [{ ...http, allowedRoutes: { kinds: [{ kind: 'TCPRoute' }, { kind: 'HTTPRoute' }] } }],
      [
        'Accepted=True:Accepted',
        'Conflicted=False:NoConflicts',
        'ResolvedRefs=False:InvalidRouteKinds',
        'Programmed=False:Invalid',
      ],
    ],
  ])('%s', (_, listeners, expected) => {
    const [planned] = plan({ gateways: [gateway(...listeners)] }).gateways;
    expect(
      planned?.listeners[0]?.conditions.map(({ type, status, reason }) => `${type}=${status}:${reason}`),
    ).toEqual(expected);
  });

  it('serves each hostname at its own listener', () => {
    const wide: Listener = { ...http, name: 'wide', hostname: '*.example.com' };
    const narrow: Listener = { ...http, name: 'narrow', hostname: 'a.example.com' };
    const planned = plan({
      gateways: [gateway(http, wide, narrow)],
      httpRoutes: [
        route([to('any')], { name: 'any', sectionName: 'http' }),
        route([to('wide')], { name: 'wide', sectionName: 'wide' }),
        route([{ ...to('narrow'), matches: [{ path: { value: '/n' } }] }], {
          name: 'narrow',
          sectionName: 'narrow',
        }),
      ],
    });
    expect(answering(planned, 'http://b.example.com/')).toBe('infra/wide:80');
    expect(answering(planned, 'http://x.b.example.com/')).toBe('infra/wide:80');
    expect(answering(planned, 'http://example.com/')).toBe('infra/any:80');
    expect(answering(planned, 'http://a.example.com/n')).toBe('infra/narrow:80');
    expect(answering(planned, 'http://a.example.com/')).toBe('404');
  });
});

describe('precedence', () => {
  const exact = { path: { type: 'Exact', value: '/a/b' } };
  const planned = plan({
    httpRoutes: [
      route(
        [
          { ...to('prefix'), matches: [{ path: { value: '/a' } }] },
          { ...to('longer'), matches: [{ path: { value: '/a/b/c' } }] },
          { ...to('regex'), matches: [{ path: { type: 'RegularExpression', value: '/r/[0-9]+' } }] },
          { ...to('method'), matches: [{ path: { value: '/a' }, method: 'POST' }] },
          { ...to('header'), matches: [{ path: { value: '/a' }, headers: [{ name: 'x', value: '1' }] }] },
          { ...to('query'), matches: [{ path: { value: '/a' }, queryParams: [{ name: 'q', value: '1' }] }] },
        ],
        { name: 'old' },
      ),
      route([{ ...to('younger'), matches: [{ path: { value: '/a' } }, exact] }], { name: 'young', age: 1 }),
      route([{ ...to('host'), matches: [{ path: { value: '/' } }] }], {
        name: 'host',
        age: 2,
        hostnames: ['h.example'],
      }),
    ],
  });
  it.each<[string, string, readonly string[], string]>([
    ['GET', 'http://any/a/x', [], 'prefix'],
    ['GET', 'http://any/a/b', [], 'younger'],
    ['GET', 'http://any/a/b/c/d', [], 'longer'],
    ['GET', 'http://any/r/12', [], 'regex'],
    ['POST', 'http://any/a', ['x', '1'], 'method'],
    ['GET', 'http://any/a?q=1', ['x', '1'], 'header'],
    ['GET', 'http://any/a?q=1', [], 'query'],
    ['GET', 'http://h.example/a/b', [], 'host'],
  ])('%s %s %j', (method, url, headers, expected) => {
    expect(answering(planned, url, headers, method)).toBe(`infra/${expected}:80`);
  });
});

it('reads GRPCRoutes as paths over HTTP/2', () => {
  const grpc: Live<GrpcRoute> = {
    apiVersion,
    kind: 'GRPCRoute',
    metadata: meta('grpc', 'infra'),
    spec: {
      parentRefs: [{ name: 'main' }],
      rules: [
        { matches: [{ method: { method: 'Ping' } }], backendRefs: [{ name: 'ping', port: 80 }] },
        { matches: [{ method: { service: 'a.B' } }], backendRefs: [{ name: 'service', port: 80 }] },
        {
          matches: [{ method: { service: 'a.B', method: 'Get' } }],
          backendRefs: [{ name: 'both', port: 80 }],
        },
        { backendRefs: [{ name: 'rest', port: 80 }] },
      ],
    },
  };
  const planned = plan({ grpcRoutes: [grpc] });
  const call = (path: string): string => answering(planned, `http://any${path}`, [], 'POST');
  expect(['/a.B/Get', '/a.B/Set', '/c.D/Ping', '/c.D/Pong'].map(call)).toEqual([
    'infra/both:80/grpc',
    'infra/service:80/grpc',
    'infra/ping:80/grpc',
    'infra/rest:80/grpc',
  ]);
});

it.each([
  ['1h30m', 5_400_000],
  ['500ms', 500],
  ['10s', 10_000],
  ['0s', 0],
  [undefined, 0],
])('duration %s', (text, expected) => {
  expect(durationMs(text)).toBe(expected);
});

describe('a hostname at one listener', () => {
  const grpc = (name: string, age: number, hostnames?: readonly string[]): Live<GrpcRoute> => ({
    ...route([], { name, age, ...(hostnames && { hostnames }) }),
    kind: 'GRPCRoute',
    spec: {
      parentRefs: [{ name: 'main', namespace: 'infra' }],
      ...(hostnames && { hostnames }),
      rules: [{ backendRefs: [{ name: 'calls', port: 80 }] }],
    },
  });
  const accepted = ({ routes }: GatewayPlan): readonly string[] =>
    routes.map(({ kind, parents }) => {
      const [first] = parents[0]?.conditions ?? [];
      return `${kind} ${first?.status} ${first?.reason}`;
    });

  it.each<
    readonly [string, { http?: readonly string[]; grpc?: readonly string[]; age: number }, readonly string[]]
  >([
    [
      'is of the older route',
      { http: ['a.example'], grpc: ['a.example'], age: 2 },
      ['HTTPRoute True Accepted', 'GRPCRoute False HostnameConflict'],
    ],
    [
      'is of an older GRPCRoute, too',
      { http: ['a.example'], grpc: ['a.example'], age: 0 },
      ['GRPCRoute True Accepted', 'HTTPRoute False HostnameConflict'],
    ],
    [
      'counts below a star',
      { http: ['*.example'], grpc: ['a.example'], age: 2 },
      ['HTTPRoute True Accepted', 'GRPCRoute False HostnameConflict'],
    ],
    [
      'counts without hostnames',
      { grpc: ['a.example'], age: 2 },
      ['HTTPRoute True Accepted', 'GRPCRoute False HostnameConflict'],
    ],
    [
      'may differ',
      { http: ['a.example'], grpc: ['b.example'], age: 2 },
      ['HTTPRoute True Accepted', 'GRPCRoute True Accepted'],
    ],
  ])('%s', (_, { http: ofHttp, grpc: ofGrpc, age }, expected) => {
    const planned = plan({
      httpRoutes: [route([to('web')], { age: 1, ...(ofHttp && { hostnames: ofHttp }) })],
      grpcRoutes: [grpc('calls', age, ofGrpc)],
    });
    expect(accepted(planned)).toEqual(expected);
    const attached = expected.filter((one) => one.includes('True')).length;
    expect(planned.gateways[0]?.listeners[0]?.attached).toBe(attached);
  });

  it('counts a route once that names its listener twice', () => {
    const twice = route([to('web')]);
    const parentRefs = [
      { name: 'main', namespace: 'infra', sectionName: 'http' },
      { name: 'main', namespace: 'infra', port: 80 },
    ];
    const planned = plan({ httpRoutes: [{ ...twice, spec: { ...twice.spec, parentRefs } }] });
    expect(planned.gateways[0]?.listeners[0]?.attached).toBe(1);
    expect(planned.routes[0]?.parents.length).toBe(2);
  });
});
