import type { Account, Accounts } from './account-requests.ts';
import type { BackendChooser } from './choose-backend.ts';
import { forwardExchange, type Forwarding } from './forward-exchange.ts';
import { forwardUpgrade, upgradeExchange } from './forward-upgrade.ts';
import type { FrontExchange, UpgradeRequest } from './front-exchange.ts';
import type { Caller } from './front-listener.ts';
import {
  changeHeaders,
  endToEnd,
  headerValue,
  isSound,
  joinedValue,
  type HeaderList,
} from './header-list.ts';
import { mirrorRequest } from './mirror-request.ts';
import { answerItself } from './own-answer.ts';
import type { Mirror, RouteBackend, Upstream } from './proxy-configuration.ts';
import { hostName, isAuthority, parseTarget, type RequestTarget } from './request-target.ts';
import {
  changePath,
  preflightAnswer,
  redirectLocation,
  withCors,
  type FilteredRequest,
} from './route-filters.ts';
import type { RouteTable } from './route-table.ts';

export interface RequestSurroundings extends Forwarding {
  readonly random: () => number;
  readonly chooser: BackendChooser;
  readonly accounts: Accounts;
}

/** A listener as its requests see it; the table is replaced when the configuration changes. */
export interface ServedListener {
  table: RouteTable;
  readonly scheme: 'http' | 'https';
  /** The port that clients see. */
  port: number;
}

/** Serves the requests that arrive at listeners. */
export interface Requests {
  exchange(listener: ServedListener, exchange: FrontExchange, caller: Caller): void;
  upgrade(listener: ServedListener, upgrade: UpgradeRequest, caller: Caller): void;
}

interface Received {
  readonly listener: ServedListener;
  readonly exchange: FrontExchange;
  readonly caller: Caller;
}

/** A request of which is known where it goes. */
interface Routed {
  readonly filtered: FilteredRequest;
  readonly backend: RouteBackend;
  readonly upstream: Upstream;
  /** As it goes out. */
  readonly path: string;
  readonly headers: HeaderList;
}

const replaced = new Set([
  'host',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-for',
]);

export function serveRequests(surroundings: RequestSurroundings): Requests {
  const { accounts, pool } = surroundings;

  function begin({ exchange, caller, listener }: Received): Account {
    const account = accounts.begin({
      client: caller.address,
      protocol: exchange.protocol,
      scheme: listener.scheme,
      method: exchange.method,
      host: exchange.authority,
      target: exchange.target,
      userAgent: headerValue(exchange.headers, 'user-agent'),
    });
    exchange.onClose(() => accounts.end(account));
    return account;
  }

  function refuse(exchange: FrontExchange, account: Account, status: number, reason: string): void {
    accounts.refuse(account, status, reason);
    answerItself(exchange, status, reason);
  }

  /** Where a request goes; undefined when it has been answered. */
  function route({ exchange, listener, caller }: Received, account: Account): Routed | undefined {
    const target = parseTarget(exchange.target);
    const authority = target?.authority ?? exchange.authority;
    if (!target || !isAuthority(authority) || countOf(exchange.headers, 'host') > 1) {
      refuse(exchange, account, 400, 'the request has no valid target or host');
      return undefined;
    }
    const { method, headers } = exchange;
    const request = {
      host: hostName(authority),
      method,
      path: target.matchedPath,
      query: target.query,
      headers,
    };
    const found = listener.table.find(request);
    if (!found) {
      refuse(exchange, account, 404, 'no route matches the request');
      return undefined;
    }
    account.route = found;
    const { scheme, port } = listener;
    const filtered: FilteredRequest = { route: found, method, target, scheme, authority, port, headers };
    const { cors, redirect } = found.filters;
    const preflight = cors && preflightAnswer(filtered, cors);
    if (preflight) {
      account.status = 204;
      exchange.respond(204, preflight, 'end');
      return undefined;
    }
    if (redirect) {
      account.status = redirect.status;
      const location = ['location', redirectLocation(filtered, redirect), 'content-length', '0'];
      const fields = changeHeaders(location, found.filters.responseHeaders);
      if (isSound(fields)) exchange.respond(redirect.status, fields, 'end');
      else refuse(exchange, account, 500, 'a filter of the route makes the answer invalid');
      return undefined;
    }
    const backend = surroundings.chooser.choose(found);
    const upstream = backend?.upstream === undefined ? undefined : pool.get(backend.upstream);
    if (!backend || !upstream) {
      const status = backend?.status ?? (backend?.upstream === undefined ? 500 : 503);
      refuse(exchange, account, status, 'the backend of the route is not there');
      return undefined;
    }
    account.upstream = upstream.name;
    return {
      filtered,
      backend,
      upstream,
      path: pathOf(filtered),
      headers: outgoing(filtered, backend, caller),
    };
  }

  return {
    exchange(listener, exchange, caller) {
      const account = begin({ listener, exchange, caller });
      const routed = route({ listener, exchange, caller }, account);
      if (!routed) return;
      const { backend, filtered, headers, path, upstream } = routed;
      if (!isSound(headers) || !isTarget(path)) {
        refuse(exchange, account, 500, 'a filter of the route makes the request invalid');
        return;
      }
      const { filters, requestTimeoutMs = 0, backendTimeoutMs = 0 } = filtered.route;
      const request = { method: exchange.method, path, headers };
      const mirrors: readonly Mirror[] = [...(filters.mirrors ?? []), ...(backend.mirrors ?? [])];
      if (mirrors.length > 0) mirrorRequest(exchange, mirrors, request, surroundings);
      forwardExchange(
        exchange,
        {
          upstream,
          request,
          responseHeaders: [backend.responseHeaders, filters.responseHeaders],
          finishHeaders: (answer) => withCors(answer, exchange.headers, filters.cors),
          requestTimeoutMs,
          backendTimeoutMs,
          onAttempt: (endpoint) => accounts.attempt(account, endpoint),
          onStatus: (status) => (account.status = status),
          onBytes: (count) => (account.bytes += count),
          refuse: (status, reason) => refuse(exchange, account, status, reason),
        },
        surroundings,
      );
    },
    upgrade(listener, upgrade, caller) {
      const exchange = upgradeExchange(upgrade);
      const account = begin({ listener, exchange, caller });
      const routed = route({ listener, exchange, caller }, account);
      if (!routed) return;
      const { backend, filtered, path, headers, upstream } = routed;
      const { filters, requestTimeoutMs = 0, backendTimeoutMs = 0 } = filtered.route;
      if (!isSound(headers) || !isTarget(path)) {
        refuse(exchange, account, 500, 'a filter of the route makes the request invalid');
        return;
      }
      forwardUpgrade(upgrade, {
        exchange,
        upstream,
        path,
        headers,
        timeoutMs: requestTimeoutMs || backendTimeoutMs,
        finishHeaders(answer) {
          const changed = changeHeaders(
            changeHeaders(answer, backend.responseHeaders),
            filters.responseHeaders,
          );
          return isSound(changed) ? changed : answer;
        },
        pick: (tried) => pool.pick(pool.get(upstream.name) ?? upstream, tried),
        onAttempt: (endpoint) => accounts.attempt(account, endpoint),
        onStatus: (status) => (account.status = status),
        refuse: (status, reason) => refuse(exchange, account, status, reason),
      });
    },
  };
}

/** Whether it can stand in a request line. */
function isTarget(path: string): boolean {
  return /^[\x21-\x7e\x80-\xff]+$/.test(path);
}

function countOf(headers: HeaderList, name: string): number {
  let count = 0;
  for (let at = 0; at < headers.length; at += 2) if (headers[at]?.toLowerCase() === name) count += 1;
  return count;
}

function pathOf(filtered: FilteredRequest): string {
  const { rewrite } = filtered.route.filters;
  const target: RequestTarget = filtered.target;
  return `${rewrite?.path ? changePath(filtered, rewrite.path) : target.path}${target.query}`;
}

/** The fields of a request as its endpoint gets them. */
function outgoing(filtered: FilteredRequest, backend: RouteBackend, caller: Caller): HeaderList {
  const { authority, headers, port, route, scheme } = filtered;
  const before = joinedValue(headers, 'x-forwarded-for');
  const passed = [
    'host',
    route.filters.rewrite?.hostname ?? authority,
    ...endToEnd(headers, replaced),
    'x-forwarded-for',
    before === undefined ? caller.address : `${before}, ${caller.address}`,
    'x-forwarded-proto',
    scheme,
    'x-forwarded-host',
    authority,
    'x-forwarded-port',
    String(port),
  ];
  return changeHeaders(changeHeaders(passed, route.filters.requestHeaders), backend.requestHeaders);
}
