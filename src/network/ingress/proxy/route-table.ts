import { RE2JS } from 're2js';
import { headerValue, joinedValue, type HeaderList } from './header-list.ts';
import type { PathMatch, Route, RouteScope, ValueMatch } from './proxy-configuration.ts';

/** What a route is found by. */
export interface RoutedRequest {
  /** In lower case, without port. */
  readonly host: string;
  readonly method: string;
  /** Without query and dot segments. */
  readonly path: string;
  /** With its question mark, or empty. */
  readonly query: string;
  readonly headers: HeaderList;
}

/** The routes of one listener, ready to be searched. */
export interface RouteTable {
  /** The route of the most specific host, and of its routes the first, that matches. */
  find(request: RoutedRequest): Route | undefined;
}

type Matcher = (request: RoutedRequest) => boolean;

interface CompiledRoute {
  readonly route: Route;
  readonly matches: Matcher;
}

/** Makes a table of a listener's scopes. */
export function createRouteTable(scopes: readonly RouteScope[]): RouteTable {
  const compiled = byHost(scopes.map((scope) => ({ host: scope.host, value: tableOfHosts(scope.routes) })));
  return {
    find(request) {
      const scope = compiled(request.host)[0];
      if (!scope) return undefined;
      for (const routes of scope(request.host))
        for (const { route, matches } of routes) if (matches(request)) return route;
      return undefined;
    },
  };
}

/** Hosts for which is remembered what was found. */
const maxRemembered = 1_000;

function tableOfHosts(routes: readonly Route[]): (host: string) => readonly (readonly CompiledRoute[])[] {
  const hosts = new Map<string, CompiledRoute[]>();
  for (const route of routes) {
    const compiled = { route, matches: matcherOf(route) };
    const list = hosts.get(route.host);
    if (list) list.push(compiled);
    else hosts.set(route.host, [compiled]);
  }
  return byHost([...hosts].map(([host, value]) => ({ host, value })));
}

/** Finds what is known of a host, the most specific first: its own name, then stars by the length of what follows them, then any. */
function byHost<T>(
  entries: readonly { readonly host: string; readonly value: T }[],
): (host: string) => readonly T[] {
  const known = new Map(entries.map(({ host, value }) => [host, value]));
  const stars = entries.some(({ host }) => host.startsWith('*'));
  const found = new Map<string, readonly T[]>();
  return (host) => {
    let list = found.get(host);
    if (!list) {
      if (found.size >= maxRemembered) found.clear();
      found.set(host, (list = search(host)));
    }
    return list;
  };

  function search(host: string): readonly T[] {
    const exact = host === '' ? undefined : known.get(host);
    const list = exact === undefined ? [] : [exact];
    if (stars) {
      for (
        let dot = host.indexOf('.'), first = true;
        dot > 0;
        dot = host.indexOf('.', dot + 1), first = false
      ) {
        const suffix = host.slice(dot);
        const one = first ? known.get(`*${suffix}`) : undefined;
        if (one !== undefined) list.push(one);
        const several = known.get(`**${suffix}`);
        if (several !== undefined) list.push(several);
      }
    }
    const any = known.get('');
    if (any !== undefined) list.push(any);
    return list;
  }
}

function matcherOf({ match }: Route): Matcher {
  const matchers: Matcher[] = [];
  if (match.path) {
    const matches = pathMatcher(match.path);
    if (matches) matchers.push(({ path }) => matches(path));
  }
  if (match.method !== undefined) {
    const { method } = match;
    matchers.push((request) => request.method === method);
  }
  for (const { name, matches } of (match.headers ?? []).map(valueMatcher)) {
    const lower = name.toLowerCase();
    matchers.push(({ headers }) => {
      const value = lower === 'host' ? headerValue(headers, lower) : joinedValue(headers, lower);
      return value !== undefined && matches(value);
    });
  }
  const queries = (match.query ?? []).map(valueMatcher);
  if (queries.length > 0)
    matchers.push(({ query }) => {
      const values = new URLSearchParams(query);
      return queries.every(({ name, matches }) => {
        const value = values.get(name);
        return value !== null && matches(value);
      });
    });
  const [only] = matchers;
  if (matchers.length === 0) return () => true;
  if (matchers.length === 1 && only) return only;
  return (request) => matchers.every((matches) => matches(request));
}

/** Undefined: every path matches. */
function pathMatcher({ kind, value }: PathMatch): ((path: string) => boolean) | undefined {
  if (kind === 'exact') return (path) => path === value;
  if (kind === 'regex') {
    const pattern = RE2JS.compile(value);
    return (path) => pattern.matches(path);
  }
  const prefix = value.replace(/\/+$/, '');
  if (prefix === '') return undefined;
  return (path) => path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === '/');
}

function valueMatcher({ name, kind, value }: ValueMatch): {
  readonly name: string;
  matches(text: string): boolean;
} {
  if (kind === 'exact') return { name, matches: (text) => text === value };
  const pattern = RE2JS.compile(value);
  return { name, matches: (text) => pattern.matches(text) };
}
