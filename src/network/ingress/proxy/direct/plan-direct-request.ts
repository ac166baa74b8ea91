import type { Account } from '../account-requests.ts';
import type { BackendChooser } from '../choose-backend.ts';
import { changeHeaders, isSound, type HeaderList } from '../header-list.ts';
import type { HeaderChange, Route, RouteBackend, Upstream } from '../proxy-configuration.ts';
import { hostName, parseTarget, type RequestTarget } from '../request-target.ts';
import { changePath } from '../route-filters.ts';
import type { RoutedRequest, RouteTable } from '../route-table.ts';
import type { UpstreamPool } from '../upstream-pool.ts';
import type { RequestHead } from './read-request-head.ts';

/** Where a request came in. */
export interface DirectPlace {
  readonly table: RouteTable;
  readonly scheme: 'http' | 'https';
  readonly port: number;
  readonly client: string;
}

/** What is done with a request: it goes to an endpoint of `upstream`, or the proxy answers itself. */
export type DirectPlan =
  | {
      readonly upstream: Upstream;
      readonly route: Route;
      /** The head as it goes out. */
      readonly head: string;
      /** Changes of the answer's fields, in this order. */
      readonly responseHeaders: readonly HeaderChange[];
    }
  | { readonly status: number; readonly reason: string };

export interface DirectSurroundings {
  readonly pool: UpstreamPool;
  readonly chooser: BackendChooser;
}

/**
 * Decides where a plain request goes, and notes it in `account`. Undefined for what needs more than handing bytes on:
 * redirects, mirrors, CORS, endpoints that speak something else than HTTP/1.1 in clear text.
 */
export function planDirectRequest(
  request: RequestHead,
  place: DirectPlace,
  account: Pick<Account, 'route' | 'upstream'>,
  { pool, chooser }: DirectSurroundings,
): DirectPlan | undefined {
  const target = parseTarget(request.target);
  if (!target) return undefined;
  const found = place.table.find(new PlainRequest(request, target));
  if (!found) return { status: 404, reason: 'no route matches the request' };
  if (!isDirect(found)) return undefined;
  for (const { upstream } of found.backends)
    if (upstream !== undefined && (pool.get(upstream)?.protocol ?? 'http1') !== 'http1') return undefined;
  const backend = chooser.choose(found);
  const upstream = backend?.upstream === undefined ? undefined : pool.get(backend.upstream);
  account.route = found;
  if (!backend || !upstream) {
    const status = backend?.status ?? (backend?.upstream === undefined ? 500 : 503);
    return { status, reason: 'the backend of the route is not there' };
  }
  account.upstream = upstream.name;
  const head = headOf(request, { place, target, route: found, backend });
  if (head === undefined) return { status: 500, reason: 'a filter of the route makes the request invalid' };
  const { responseHeaders: own } = backend;
  const { responseHeaders: common } = found.filters;
  const responseHeaders = own || common ? [own, common].filter((change) => change !== undefined) : unchanged;
  return { upstream, route: found, head, responseHeaders };
}

const unchanged: readonly HeaderChange[] = [];
const known = new WeakMap<Route, boolean>();

function isDirect(route: Route): boolean {
  let direct = known.get(route);
  if (direct === undefined) {
    const { cors, mirrors, redirect } = route.filters;
    direct = !cors && !redirect && !mirrors && route.backends.every((backend) => !backend.mirrors);
    known.set(route, direct);
  }
  return direct;
}

interface Way {
  readonly place: DirectPlace;
  readonly target: RequestTarget;
  readonly route: Route;
  readonly backend: RouteBackend;
}

/** Undefined when it would be no head, by what a filter puts into it. */
function headOf(request: RequestHead, { place, target, route, backend }: Way): string | undefined {
  const { rewrite, requestHeaders } = route.filters;
  const { authority, forwardedFor, method } = request;
  const { scheme, port } = place;
  const path = rewrite?.path
    ? changePath({ route, method, target, scheme, authority, port, headers: [] }, rewrite.path) + target.query
    : request.target;
  const client = forwardedFor === undefined ? place.client : `${forwardedFor}, ${place.client}`;
  const fields = `host: ${rewrite?.hostname ?? authority}\r\n${request.fields}x-forwarded-for: ${client}\r\nx-forwarded-proto: ${scheme}\r\nx-forwarded-host: ${authority}\r\nx-forwarded-port: ${port}\r\n${
    !request.saysLength && /^P(?:OST|UT|ATCH)$/.test(method) ? 'content-length: 0\r\n' : ''
  }`;
  const first = `${method} ${path} HTTP/1.1\r\n`;
  if (!requestHeaders && !backend.requestHeaders && !rewrite) return `${first}${fields}\r\n`;
  const changed = changeHeaders(changeHeaders(fieldList(fields), requestHeaders), backend.requestHeaders);
  const head = `${first}${fieldText(changed)}\r\n`;
  return /^[\x21-\x7e]+ [\x21-\x7e]+ HTTP\/1\.1\r\n$/.test(first) && isSound(changed) ? head : undefined;
}

/** Fields with their CRLFs as a list of names and values. */
export function fieldList(fields: string): string[] {
  const list: string[] = [];
  for (let at = 0; at < fields.length;) {
    const colon = fields.indexOf(':', at);
    const end = fields.indexOf('\r\n', colon);
    list.push(fields.slice(at, colon), fields.slice(colon + 1, end).trim());
    at = end + 2;
  }
  return list;
}

/** The reverse of {@link fieldList}. */
export function fieldText(list: HeaderList): string {
  let text = '';
  for (let at = 0; at < list.length; at += 2) text += `${list[at]}: ${list[at + 1]}\r\n`;
  return text;
}

/** What matches look at; the fields are taken apart when one asks for them. */
class PlainRequest implements RoutedRequest {
  readonly host: string;
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly #head: RequestHead;
  #headers: HeaderList | undefined;

  constructor(head: RequestHead, target: RequestTarget) {
    this.host = hostName(head.authority);
    this.method = head.method;
    this.path = target.matchedPath;
    this.query = target.query;
    this.#head = head;
  }

  get headers(): HeaderList {
    const { authority, fields, forwardedFor } = this.#head;
    this.#headers ??= [
      'host',
      authority,
      ...fieldList(fields),
      ...(forwardedFor === undefined ? [] : ['x-forwarded-for', forwardedFor]),
    ];
    return this.#headers;
  }
}
