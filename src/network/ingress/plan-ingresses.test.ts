import { describe, expect, it } from 'vitest';
import type { Service } from '../../api/core/v1.gen.ts';
import type { Ingress, IngressBackend, IngressClass, IngressSpec } from '../../api/networking/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { isServed, planIngresses, type IngressPlan } from './plan-ingresses.ts';
import { createRouteTable } from './proxy/route-table.ts';

function ingress(name: string, spec: IngressSpec, metadata: object = {}): Live<Ingress> {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      namespace: 'default',
      name,
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...metadata,
    },
    spec: { ingressClassName: 'kanoe', ...spec },
  };
}

function ingressClass(name: string, controller: string, isDefault: 'true' | 'false'): Live<IngressClass> {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: {
      name,
      uid: name,
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      annotations: { 'ingressclass.kubernetes.io/is-default-class': isDefault },
    },
    spec: { controller },
  };
}

const ours = ingressClass('kanoe', 'kanoe.io/ingress', 'true');
const theirs = ingressClass('nginx', 'k8s.io/ingress-nginx', 'false');

function service(name: string): Service {
  const ports = [{ name: 'http', port: 80 }];
  return { apiVersion: 'v1', kind: 'Service', metadata: { namespace: 'default', name }, spec: { ports } };
}

function plan(...ingresses: readonly Live<Ingress>[]): IngressPlan {
  return planIngresses({
    ingresses,
    classes: [ours, theirs],
    service: (_, name) => (name === 'missing' ? undefined : service(name)),
    secret: () => undefined,
  });
}

const to = (name: string): IngressBackend => ({ service: { name, port: { number: 80 } } });

type PathSpec = readonly [path: string, pathType: string, service: string];

function rule(
  host: string | undefined,
  ...paths: readonly PathSpec[]
): NonNullable<IngressSpec['rules']>[number] {
  return {
    ...(host !== undefined && { host }),
    http: { paths: paths.map(([path, pathType, name]) => ({ path, pathType, backend: to(name) })) },
  };
}

/** The Service that answers. */
function served(planned: IngressPlan, url: string): string {
  const { hostname, pathname } = new URL(url);
  const table = createRouteTable([{ host: '', routes: planned.routes }]);
  const route = table.find({ host: hostname, path: pathname, query: '', method: 'GET', headers: [] });
  return route?.backends[0]?.upstream?.replace(/^default\/(.*):80$/, '$1') ?? 'none';
}

describe('classes', () => {
  it.each<[string, IngressSpec, Record<string, string>, boolean]>([
    ['its class', { ingressClassName: 'kanoe' }, {}, true],
    ['another class', { ingressClassName: 'nginx' }, {}, false],
    ['a class that does not exist', { ingressClassName: 'none' }, {}, false],
    ['no class', {}, {}, true],
    ['the annotation of old', {}, { 'kubernetes.io/ingress.class': 'kanoe' }, true],
    ['the annotation of old for another', {}, { 'kubernetes.io/ingress.class': 'nginx' }, false],
  ])('%s', (_, spec, annotations, expected) => {
    const object: Ingress = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'Ingress',
      metadata: { name: 'x', annotations },
      spec,
    };
    expect(isServed(object, [ours, theirs])).toBe(expected);
  });

  it('without a class nothing is served when ours is not the default', () => {
    const { ingressClassName: _, ...spec } = ingress('x', {}).spec;
    const object = { ...ingress('x', {}), spec };
    expect(isServed(object, [ingressClass('kanoe', 'kanoe.io/ingress', 'false')])).toBe(false);
  });
});

/** The table of "Ingress" in the documentation of Kubernetes, section "Path types". */
describe('path types', () => {
  it.each<[readonly PathSpec[], string, string]>([
    [[['/', 'Prefix', 'a']], '/anything', 'a'],
    [[['/foo', 'Exact', 'a']], '/foo', 'a'],
    [[['/foo', 'Exact', 'a']], '/bar', 'none'],
    [[['/foo', 'Exact', 'a']], '/foo/', 'none'],
    [[['/foo/', 'Exact', 'a']], '/foo', 'none'],
    [[['/foo', 'Prefix', 'a']], '/foo/', 'a'],
    [[['/foo/', 'Prefix', 'a']], '/foo', 'a'],
    [[['/aaa/bb', 'Prefix', 'a']], '/aaa/bbb', 'none'],
    [[['/aaa/bbb/', 'Prefix', 'a']], '/aaa/bbb', 'a'],
    [[['/aaa/bbb', 'Prefix', 'a']], '/aaa/bbb/ccc', 'a'],
    [[['/aaa/bbb', 'Prefix', 'a']], '/aaa/bbbxyz', 'none'],
    [
      [
        ['/', 'Prefix', 'a'],
        ['/aaa', 'Prefix', 'b'],
      ],
      '/aaa/ccc',
      'b',
    ],
    [
      [
        ['/', 'Prefix', 'a'],
        ['/aaa', 'Prefix', 'b'],
        ['/aaa/bbb', 'Prefix', 'c'],
      ],
      '/aaa/bbb',
      'c',
    ],
    [
      [
        ['/', 'Prefix', 'a'],
        ['/aaa', 'Prefix', 'b'],
        ['/aaa/bbb', 'Prefix', 'c'],
      ],
      '/ccc',
      'a',
    ],
    [[['/aaa', 'Prefix', 'a']], '/ccc', 'none'],
    [
      [
        ['/foo', 'Prefix', 'a'],
        ['/foo', 'Exact', 'b'],
      ],
      '/foo',
      'b',
    ],
    [[['/foo', 'ImplementationSpecific', 'a']], '/foo/bar', 'a'],
    [[['', 'ImplementationSpecific', 'a']], '/foo/bar', 'a'],
  ])('%j: %s', (paths, path, expected) => {
    expect(served(plan(ingress('x', { rules: [rule(undefined, ...paths)] })), `http://any${path}`)).toBe(
      expected,
    );
  });
});

describe('hosts', () => {
  const planned = plan(
    ingress('x', {
      rules: [
        rule('*.foo.com', ['/', 'Prefix', 'star']),
        rule('bar.foo.com', ['/', 'Prefix', 'exact']),
        rule(undefined, ['/', 'Prefix', 'any']),
      ],
    }),
  );
  it.each([
    ['http://bar.foo.com/', 'exact'],
    ['http://baz.foo.com/', 'star'],
    ['http://baz.bar.foo.com/', 'any'],
    ['http://foo.com/', 'any'],
  ])('%s', (url, expected) => {
    expect(served(planned, url)).toBe(expected);
  });
});

describe('default backends', () => {
  const planned = plan(
    ingress('own', { defaultBackend: to('own'), rules: [rule('a.example', ['/x', 'Prefix', 'x'])] }),
    ingress(
      'b',
      { rules: [rule('b.example', ['/y', 'Exact', 'y'])] },
      { creationTimestamp: '2026-01-02T00:00:00Z' },
    ),
  );
  it.each([
    ['http://a.example/x', 'x'],
    ['http://a.example/other', 'own'],
    ['http://b.example/other', 'own'],
    ['http://elsewhere/', 'own'],
  ])('%s', (url, expected) => {
    expect(served(planned, url)).toBe(expected);
  });
});

it('gives a path that two Ingresses want to the older one', () => {
  const younger = ingress(
    'a',
    { rules: [rule('h', ['/', 'Prefix', 'younger'])] },
    { creationTimestamp: '2026-02-01T00:00:00Z' },
  );
  const older = ingress('b', { rules: [rule('h', ['/', 'Prefix', 'older'])] });
  expect(served(plan(younger, older), 'http://h/')).toBe('older');
});

it('says what cannot be done', () => {
  const backend = { resource: { apiGroup: 'k8s.example', kind: 'StorageBucket', name: 'icons' } };
  const { problems, routes } = plan(
    ingress('x', {
      defaultBackend: backend,
      tls: [{ hosts: ['h'], secretName: 'none' }],
      rules: [
        rule('h', ['/', 'Prefix', 'missing']),
        {
          host: 'h',
          http: {
            paths: [
              {
                path: '/p',
                pathType: 'Prefix',
                backend: { service: { name: 'web', port: { name: 'nope' } } },
              },
            ],
          },
        },
      ],
    }),
  );
  expect(problems.map(({ reason }) => reason).sort()).toEqual([
    'SecretNotFound',
    'ServiceNotFound',
    'ServicePortNotFound',
    'UnsupportedBackend',
  ]);
  expect(routes.find(({ host, match }) => host === '' && match.path?.value === '/')?.backends).toEqual([
    { weight: 1, status: 503 },
  ]);
});
