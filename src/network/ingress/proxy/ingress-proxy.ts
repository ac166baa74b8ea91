import type { Clock } from '../../../base/clock.ts';
import { openAccessLog, type AccessLog } from './access-log.ts';
import { createAccounts } from './account-requests.ts';
import { createBackendChooser } from './choose-backend.ts';
import { createDirectServer } from './direct/direct-server.ts';
import { createEndpointConnections } from './direct/endpoint-connections.ts';
import { createFieldMeanings } from './direct/field-meaning.ts';
import { startFrontListener, type FrontListener } from './front-listener.ts';
import { createHttp1Connections } from './http1-connections.ts';
import { createHttp2Connections } from './http2-connections.ts';
import { startMetricsPage, type MetricsPage } from './metrics-page.ts';
import type { ProxyConfiguration, ProxyListener, UpstreamChange } from './proxy-configuration.ts';
import { createProxyMetrics } from './proxy-metrics.ts';
import { createRouteTable } from './route-table.ts';
import { serveRequests, type Requests, type ServedListener } from './serve-requests.ts';
import { createUpstreamPool } from './upstream-pool.ts';

/** What a proxy has besides its routes; plain data. */
export interface ProxySettings {
  /** Where `/metrics` and `/healthz` answer. */
  readonly metrics: { readonly address: string; readonly port: number };
  readonly accessLog?: { readonly file: string; readonly maxBytes: number; readonly maxBackups: number };
}

/** What became of the listeners of a configuration, by name: the port, or why there is none. */
export type ListenerPorts = Readonly<
  Record<string, { readonly port: number } | { readonly error: string; readonly code?: string }>
>;

/** The proxy of Ingress and Gateway API; it can run in a thread of its own. Arguments and results are plain data. */
export interface IngressProxy {
  /** Once, before anything else. Resolves to the port of the metrics. */
  start(settings: ProxySettings): Promise<number>;
  /** Replaces all listeners and routes. Requests under way are answered by what they began with. */
  configure(configuration: ProxyConfiguration): Promise<ListenerPorts>;
  updateUpstreams(change: UpstreamChange): Promise<void>;
  close(): Promise<void>;
}

interface Open {
  readonly served: ServedListener;
  readonly front: FrontListener;
}

/** The proxy in this thread. */
export function createIngressProxy(clock: Clock, random: () => number): IngressProxy {
  const metrics = createProxyMetrics();
  const http1 = createHttp1Connections();
  const http2 = createHttp2Connections();
  const connections = createEndpointConnections(clock);
  const pool = createUpstreamPool([http1, http2, connections]);
  const open = new Map<string, Open>();
  let log: AccessLog | undefined;
  let page: MetricsPage | undefined;
  const accounts = createAccounts(clock, metrics, (entry) => log?.write(entry));
  const chooser = createBackendChooser();
  const requests: Requests = serveRequests({ clock, random, pool, http1, http2, accounts, chooser });
  const direct = {
    clock,
    accounts,
    pool,
    chooser,
    connections,
    meaningOf: createFieldMeanings(),
    dateNow: createDates(clock),
  };

  async function openListener(listener: ProxyListener): Promise<Open> {
    const served: ServedListener = {
      table: createRouteTable(listener.scopes),
      scheme: listener.tls ? 'https' : 'http',
      port: listener.publicPort ?? 0,
    };
    const front = await startFrontListener({
      address: listener.address,
      ports: listener.ports,
      tls: listener.tls !== undefined,
      onExchange: (exchange, caller) => requests.exchange(served, exchange, caller),
      onUpgrade: (upgrade, caller) => requests.upgrade(served, upgrade, caller),
      direct: createDirectServer(served, direct),
      onConnection: (change) => metrics.connections(change),
    });
    served.port = listener.publicPort ?? front.port;
    return { served, front };
  }

  async function serve(listener: ProxyListener): Promise<number> {
    let one = open.get(listener.name);
    const changedKind = one && (one.served.scheme === 'https') !== (listener.tls !== undefined);
    if (one && changedKind) {
      one.front.close();
      one = undefined;
    }
    if (one) one.served.table = createRouteTable(listener.scopes);
    else open.set(listener.name, (one = await openListener(listener)));
    if (listener.tls) one.front.setCertificates(listener.tls.certificates);
    return one.front.port;
  }

  return {
    async start(settings) {
      if (settings.accessLog) log = openAccessLog({ ...settings.accessLog, clock });
      page = await startMetricsPage(settings.metrics, () => metrics.text());
      return page.port;
    },
    async configure({ listeners }) {
      const ports: Record<string, ListenerPorts[string]> = {};
      const wanted = new Set(listeners.map(({ name }) => name));
      for (const [name, { front }] of open) {
        if (wanted.has(name)) continue;
        front.close();
        open.delete(name);
      }
      for (const listener of listeners) {
        try {
          ports[listener.name] = { port: await serve(listener) };
        } catch (error) {
          const { code, message } = error as NodeJS.ErrnoException;
          ports[listener.name] = { error: message, ...(code !== undefined && { code }) };
        }
      }
      return ports;
    },
    updateUpstreams(change) {
      pool.update(change);
      return Promise.resolve();
    },
    async close() {
      for (const { front } of open.values()) front.destroy();
      open.clear();
      http1.close();
      http2.close();
      connections.close();
      page?.close();
      await log?.close();
    },
  };
}

/** The value of a `Date` field (RFC 9110, 5.6.7); made once a second. */
function createDates(clock: Clock): () => string {
  let second = -1;
  let text = '';
  return () => {
    const now = Math.floor(clock.now() / 1000);
    if (now !== second) {
      second = now;
      text = new Date(now * 1000).toUTCString();
    }
    return text;
  };
}
