import type { Clock } from '../../../base/clock.ts';
import type { AccessEntry } from './access-log.ts';
import type { Route, UpstreamEndpoint } from './proxy-configuration.ts';
import type { ProxyMetrics } from './proxy-metrics.ts';
import { keyOf } from './upstream-pool.ts';

/** What is known of a request when it arrives. */
export interface Arrival {
  readonly client: string;
  readonly protocol: string;
  readonly scheme: string;
  readonly method: string;
  readonly host: string;
  readonly target: string;
  readonly userAgent?: string | undefined;
}

/** What is told of a request when it is over. */
export interface Account {
  readonly arrival: Arrival;
  readonly began: number;
  status: number;
  bytes: number;
  attempts: number;
  reason: string | undefined;
  route: Route | undefined;
  upstream: string | undefined;
  endpoint: UpstreamEndpoint | undefined;
}

/** Counts requests and writes them down. */
export interface Accounts {
  begin(arrival: Arrival): Account;
  /** An endpoint is asked. */
  attempt(account: Account, endpoint: UpstreamEndpoint): void;
  /** The proxy itself answers. */
  refuse(account: Account, status: number, reason: string): void;
  /** Once for each request. */
  end(account: Account): void;
}

export function createAccounts(
  clock: Clock,
  metrics: ProxyMetrics,
  record: (entry: AccessEntry) => void,
): Accounts {
  return {
    begin(arrival) {
      metrics.active(1);
      return {
        arrival,
        began: clock.monotonic(),
        status: 0,
        bytes: 0,
        attempts: 0,
        reason: undefined,
        route: undefined,
        upstream: undefined,
        endpoint: undefined,
      };
    },
    attempt(account, endpoint) {
      account.endpoint = endpoint;
      account.attempts += 1;
      if (account.attempts > 1) metrics.retried(account.upstream ?? '');
    },
    refuse(account, status, reason) {
      account.status = status;
      account.reason = reason;
      if (account.upstream !== undefined && status >= 500) metrics.failed(account.upstream, status);
    },
    end(account) {
      const { arrival, attempts, bytes, endpoint, status } = account;
      metrics.active(-1);
      const ms = clock.monotonic() - account.began;
      metrics.answered({
        route: account.route?.name ?? '',
        status,
        protocol: arrival.protocol,
        seconds: ms / 1000,
        bytes,
      });
      record({
        time: clock.now() - ms,
        client: arrival.client,
        protocol: arrival.protocol,
        scheme: arrival.scheme,
        method: arrival.method,
        host: arrival.host,
        path: arrival.target,
        status,
        bytes,
        durationMs: Math.round(ms * 1000) / 1000,
        route: account.route?.name,
        upstream: account.upstream,
        endpoint: endpoint && keyOf(endpoint),
        attempts: attempts > 1 ? attempts : undefined,
        reason: account.reason,
        userAgent: arrival.userAgent,
      });
    },
  };
}
