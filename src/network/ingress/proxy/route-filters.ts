import { changeHeaders, headerValue, type HeaderList } from './header-list.ts';
import type { Cors, PathChange, Redirect, Route } from './proxy-configuration.ts';
import type { RequestTarget } from './request-target.ts';

/** A request on its way through a route's filters. */
export interface FilteredRequest {
  readonly route: Route;
  readonly method: string;
  readonly target: RequestTarget;
  readonly scheme: 'http' | 'https';
  /** As the client sent it, with its port. */
  readonly authority: string;
  /** The port that the client sees. */
  readonly port: number;
  readonly headers: HeaderList;
}

/** The `Location` of a redirect (HTTPRequestRedirectFilter). */
export function redirectLocation(request: FilteredRequest, redirect: Redirect): string {
  const scheme = redirect.scheme ?? request.scheme;
  const host = redirect.hostname ?? request.authority.replace(/:\d+$/, '');
  const usual = scheme === 'https' ? 443 : 80;
  const port = redirect.port ?? (redirect.scheme === undefined ? request.port : usual);
  const path = changePath(request, redirect.path);
  return `${scheme}://${host}${port === usual ? '' : `:${port}`}${path}${request.target.query}`;
}

/** The path after a rewrite or redirect; the query is not part of it. */
export function changePath({ route, target }: FilteredRequest, change: PathChange | undefined): string {
  if (!change) return target.path;
  if (change.kind === 'full') return change.value === '' ? '/' : change.value;
  const matched = (route.match.path?.value ?? '/').replace(/\/+$/, '');
  const rest = target.matchedPath.slice(matched.length);
  const joined = `${change.value.replace(/\/+$/, '')}${rest.startsWith('/') || rest === '' ? '' : '/'}${rest}`;
  return joined === '' ? '/' : joined;
}

/** The answer to a CORS preflight; undefined when the request is none (Fetch Standard, 3.2.2). */
export function preflightAnswer({ method, headers }: FilteredRequest, cors: Cors): HeaderList | undefined {
  const asked = headerValue(headers, 'access-control-request-method');
  if (method !== 'OPTIONS' || asked === undefined) return undefined;
  const origin = allowedOrigin(headers, cors);
  if (origin === undefined) return [];
  const star = (list: readonly string[], wanted: string | undefined): string =>
    list.includes('*') ? (cors.allowCredentials ? (wanted ?? '') : '*') : list.join(', ');
  const methods = cors.allowMethods.length === 0 ? '' : star(cors.allowMethods, asked);
  const fields = star(cors.allowHeaders, headerValue(headers, 'access-control-request-headers'));
  return [
    ...originFields(origin, cors),
    ...(methods === '' ? [] : ['access-control-allow-methods', methods]),
    ...(fields === '' ? [] : ['access-control-allow-headers', fields]),
    'access-control-max-age',
    String(cors.maxAgeSeconds),
  ];
}

/** Adds what lets a page of another origin read the answer. */
export function withCors(answer: HeaderList, headers: HeaderList, cors: Cors | undefined): HeaderList {
  if (!cors) return answer;
  const origin = allowedOrigin(headers, cors);
  if (origin === undefined) return answer;
  const own = originFields(origin, cors);
  const exposed = cors.exposeHeaders.join(', ');
  const set = exposed === '' ? own : [...own, 'access-control-expose-headers', exposed];
  return changeHeaders(answer, {
    set: Array.from({ length: set.length / 2 }, (_, at) => ({
      name: set[2 * at] ?? '',
      value: set[2 * at + 1] ?? '',
    })),
    add: [],
    remove: [],
  });
}

function originFields(origin: string, { allowCredentials }: Cors): readonly string[] {
  return [
    'access-control-allow-origin',
    origin,
    ...(origin === '*' ? [] : ['vary', 'Origin']),
    ...(allowCredentials ? ['access-control-allow-credentials', 'true'] : []),
  ];
}

/** `*`, the origin itself, or undefined when it may not. */
function allowedOrigin(headers: HeaderList, { allowOrigins, allowCredentials }: Cors): string | undefined {
  const origin = headerValue(headers, 'origin');
  if (origin === undefined) return undefined;
  if (allowOrigins.includes('*')) return allowCredentials ? origin : '*';
  const lower = origin.toLowerCase();
  return allowOrigins.some((allowed) => originMatches(allowed.toLowerCase(), lower)) ? origin : undefined;
}

function originMatches(allowed: string, origin: string): boolean {
  const star = allowed.indexOf('*');
  if (star < 0) return allowed === origin;
  const [before, after] = [allowed.slice(0, star), allowed.slice(star + 1)];
  return origin.length > before.length + after.length && origin.startsWith(before) && origin.endsWith(after);
}
