import { describe, expect, it } from 'vitest';
import type { Route, RouteMatch } from './proxy-configuration.ts';
import { hostName, isAuthority, parseTarget } from './request-target.ts';
import { createRouteTable } from './route-table.ts';

function route(name: string, host: string, match: RouteMatch = {}): Route {
  return { name, host, match, filters: {}, backends: [] };
}

function find(
  routes: readonly Route[],
  url: string,
  headers: readonly string[] = [],
  method = 'GET',
): string {
  const { host, pathname, search } = new URL(url);
  const table = createRouteTable([{ host: '', routes }]);
  const request = { host: hostName(host), path: pathname, query: search, method, headers };
  return table.find(request)?.name ?? 'none';
}

describe('hosts', () => {
  const routes = ['', '*.foo.com', 'bar.foo.com', '**.foo.com', '**.a.foo.com'].map((host) =>
    route(host, host),
  );
  it.each([
    ['http://bar.foo.com/', 'bar.foo.com'],
    ['http://BAR.foo.com:8080/', 'bar.foo.com'],
    ['http://baz.foo.com/', '*.foo.com'],
    ['http://x.baz.foo.com/', '**.foo.com'],
    ['http://x.a.foo.com/', '**.a.foo.com'],
    ['http://foo.com/', ''],
    ['http://[::1]:80/', ''],
  ])('%s is for %s', (url, host) => {
    expect(find(routes, url)).toBe(host);
  });

  it('goes on with less specific hosts when no path of the first matches', () => {
    const own = [route('own', 'a.b', { path: { kind: 'exact', value: '/x' } }), route('any', '')];
    expect(find(own, 'http://a.b/y')).toBe('any');
  });
});

describe('paths', () => {
  it.each<[string, 'exact' | 'prefix' | 'regex', string, boolean]>([
    ['/', 'prefix', '/anything/else', true],
    ['/foo', 'exact', '/foo', true],
    ['/foo', 'exact', '/bar', false],
    ['/foo', 'exact', '/foo/', false],
    ['/foo/', 'exact', '/foo', false],
    ['/foo', 'prefix', '/foo', true],
    ['/foo', 'prefix', '/foo/', true],
    ['/foo/', 'prefix', '/foo', true],
    ['/foo/', 'prefix', '/foo/', true],
    ['/aaa/bb', 'prefix', '/aaa/bbb', false],
    ['/aaa/bbb', 'prefix', '/aaa/bbb', true],
    ['/aaa/bbb/', 'prefix', '/aaa/bbb', true],
    ['/aaa/bbb', 'prefix', '/aaa/bbb/', true],
    ['/aaa/bbb', 'prefix', '/aaa/bbb/ccc', true],
    ['/aaa/bbb', 'prefix', '/aaa/bbbxyz', false],
    ['/aaa', 'prefix', '/ccc', false],
    ['/Foo', 'prefix', '/foo', false],
    ['/v[0-9]+/.*', 'regex', '/v12/x', true],
    ['/v[0-9]+', 'regex', '/v12/x', false],
  ])('%s (%s) and %s: %s', (value, kind, path, matches) => {
    const found = find([route('it', '', { path: { kind, value } })], `http://a${path}`);
    expect(found).toBe(matches ? 'it' : 'none');
  });
});

describe('headers, query and method', () => {
  const headers = ['Version', 'two', 'X-Many', 'a', 'x-many', 'b'];
  it.each<[string, RouteMatch, string, boolean]>([
    ['a header', { headers: [{ name: 'version', kind: 'exact', value: 'two' }] }, '/', true],
    ['another value', { headers: [{ name: 'version', kind: 'exact', value: 'Two' }] }, '/', false],
    ['a pattern', { headers: [{ name: 'VERSION', kind: 'regex', value: 't.o' }] }, '/', true],
    ['a header that comes twice', { headers: [{ name: 'x-many', kind: 'exact', value: 'a, b' }] }, '/', true],
    [
      'a query parameter',
      { query: [{ name: 'animal', kind: 'exact', value: 'whale' }] },
      '/?animal=whale',
      true,
    ],
    ['the first of its name', { query: [{ name: 'a', kind: 'exact', value: '2' }] }, '/?a=1&a=2', false],
    ['an encoded one', { query: [{ name: 'a', kind: 'exact', value: 'x y' }] }, '/?a=x%20y', true],
    ['a method', { method: 'POST' }, '/', false],
  ])('%s', (_, match, path, matches) => {
    expect(find([route('it', '', match)], `http://a${path}`, headers)).toBe(matches ? 'it' : 'none');
  });
});

it('searches only the scope with the most specific host', () => {
  const table = createRouteTable([
    { host: '', routes: [route('any', '')] },
    {
      host: '**.example.com',
      routes: [route('star', '**.example.com', { path: { kind: 'exact', value: '/s' } })],
    },
  ]);
  const request = { path: '/other', query: '', method: 'GET', headers: [] };
  expect(table.find({ ...request, host: 'a.example.com' })).toBeUndefined();
  expect(table.find({ ...request, host: 'example.com' })?.name).toBe('any');
});

describe('targets', () => {
  it.each<[string, string | undefined, string]>([
    ['/a/b?c=d', '/a/b', '?c=d'],
    ['/a/../b', '/b', ''],
    ['/a/%2E%2e/b/.', '/b/', ''],
    ['/../..', '/', ''],
    ['http://a.example/x?y', '/x', '?y'],
    ['http://a.example', '/', ''],
    ['*', '*', ''],
    ['a/b', undefined, ''],
  ])('%s', (target, path, query) => {
    const parsed = parseTarget(target);
    expect(parsed?.matchedPath).toBe(path);
    expect(parsed?.query ?? '').toBe(query);
  });
});

it.each([
  ['shop.example', true],
  ['shop.example:8080', true],
  ['10.0.0.1:', true],
  ['[fd00::1]:80', true],
  ['a_b.example', true],
  ['', false],
  ['a b', false],
  ['a/b', false],
  ['a@b', false],
  ['a:b', false],
  ['[a]', true],
  ['[x]', false],
  ['ü.example', false],
])('%j is an authority: %s', (text, expected) => {
  expect(isAuthority(text)).toBe(expected);
});
