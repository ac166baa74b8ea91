import { apiservices, type APIService } from '../../api/apiregistration/v1.gen.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Live } from '../../machinery/object.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { isStatus } from '../../machinery/status-error.ts';
import type { Transport } from '../../machinery/transport.ts';
import type { Lookup } from '../admission/lookup.ts';
import type { ServiceResolver } from '../callout/service-resolver.ts';
import type { ResourceTable } from '../registry/served-resource.ts';
import type { CacheSubscriber } from '../watch/resource-cache.ts';
import {
  failedDiscovery,
  isAvailable,
  passed,
  serviceProblem,
  withAvailability,
  type Availability,
} from './availability.ts';
import { RemoteServer, type ProxyCredentials } from './remote-server.ts';

export interface AggregatorOptions {
  readonly clock: Clock;
  readonly table: () => ResourceTable;
  readonly lookup: Lookup;
  readonly resolver: ServiceResolver;
  /** Client certificate of the front proxy; without it extension servers see nobody. */
  readonly credentials: ProxyCredentials | undefined;
  server(): Transport;
  /** A server no longer answers. */
  onUnavailable(apiService: string, reason: string): void;
  onFault(error: unknown): void;
}

/** One version of a group that another server serves. */
export interface RemoteVersion {
  readonly group: string;
  readonly version: string;
  readonly groupPriority: number;
  readonly versionPriority: number;
  readonly available: boolean;
  readonly server: RemoteServer;
}

/** The API of this server and of those that APIServices add to it. */
export interface Aggregator {
  /** The server behind `/apis/GROUP/VERSION/…`; undefined when this one serves it, or nobody does. */
  remoteOf(path: string): RemoteVersion | undefined;
  /** All of them, in order of priority. A new array after each change. */
  remotes(): readonly RemoteVersion[];
  close(): void;
}

const checkMs = 30_000;
const recheckMs = 1_000;

function connectionOf({ spec }: APIService): unknown[] {
  return [spec.service ?? null, spec.caBundle ?? '', spec.insecureSkipTLSVerify ?? false];
}

/** Follows the APIServices, and finds out whether the servers behind them answer. */
export function createAggregator(options: AggregatorOptions): Aggregator {
  const { clock, table, lookup, resolver } = options;
  const cache = table().stored(apiservices.group, apiservices.resource)?.cache;
  const servers = new Map<string, RemoteServer>();
  const timers = new Map<string, Timer>();
  let seen: unknown;
  let remotes: readonly RemoteVersion[] = [];
  let byVersion = new Map<string, RemoteVersion>();
  let closed = false;

  /** A server is connected to anew when what says how to connect to it has changed. */
  function serverOf(service: Live<APIService>): RemoteServer {
    const { uid } = service.metadata;
    const known = servers.get(uid);
    if (known && known.service.spec === service.spec) return known;
    if (known && jsonEqual(connectionOf(known.service), connectionOf(service))) return known;
    known?.close();
    const made = new RemoteServer(service, resolver, options.credentials);
    servers.set(uid, made);
    return made;
  }

  function refresh(): void {
    if (!cache || cache.current() === seen) return;
    seen = cache.current();
    const found: RemoteVersion[] = [];
    const present = new Set<string>();
    for (const service of lookup.list<APIService>(apiservices)) {
      const { spec, metadata } = service;
      if (!spec.service) continue;
      present.add(metadata.uid);
      found.push({
        group: spec.group ?? '',
        version: spec.version ?? '',
        groupPriority: spec.groupPriorityMinimum,
        versionPriority: spec.versionPriority,
        available: isAvailable(service),
        server: serverOf(service),
      });
    }
    for (const [uid, server] of servers) {
      if (present.has(uid)) continue;
      server.close();
      servers.delete(uid);
      timers.get(uid)?.cancel();
      timers.delete(uid);
    }
    remotes = found.sort(
      (a, b) =>
        b.groupPriority - a.groupPriority ||
        (a.group < b.group ? -1 : a.group > b.group ? 1 : b.versionPriority - a.versionPriority),
    );
    byVersion = new Map(remotes.map((one) => [`${one.group}/${one.version}`, one]));
  }

  async function ask(service: Live<APIService>): Promise<Availability> {
    const problem = serviceProblem(service, lookup, resolver);
    if (problem) return problem;
    const remote = serverOf(service);
    const { port = 443 } = service.spec.service ?? {};
    const url = `https://${remote.host}:${port}${remote.root}`;
    try {
      const { code } = await remote.get(remote.root);
      return code >= 200 && code < 300 ? passed : failedDiscovery(url, `bad status from ${url}: ${code}`);
    } catch (error) {
      return failedDiscovery(url, error instanceof Error ? error.message : String(error));
    }
  }

  async function check(uid: string): Promise<void> {
    const service = [...lookup.list<APIService>(apiservices)].find((one) => one.metadata.uid === uid);
    if (!service?.spec.service) return;
    const availability = await ask(service);
    if (closed) return;
    const conditions = withAvailability(service.status?.conditions ?? [], availability, clock.now());
    if (conditions) await report(service, conditions);
    if (availability.status === 'False' && (isAvailable(service) || !service.status?.conditions?.length))
      options.onUnavailable(service.metadata.name, availability.reason);
    plan(uid, availability.status === 'True' ? checkMs : recheckMs);
  }

  async function report(
    service: Live<APIService>,
    conditions: NonNullable<NonNullable<APIService['status']>['conditions']>,
  ): Promise<void> {
    const { group, version, resource } = apiservices;
    try {
      await options.server().request({
        verb: 'update',
        group,
        version,
        resource,
        subresource: 'status',
        name: service.metadata.name,
        body: { ...service, status: { ...service.status, conditions } },
      });
    } catch (error) {
      if (!isStatus(error, 'Conflict') && !isStatus(error, 'NotFound')) throw error;
    }
  }

  function plan(uid: string, ms: number): void {
    timers.get(uid)?.cancel();
    const timer = clock.after(ms, () => {
      timers.delete(uid);
      check(uid).catch((error: unknown) => {
        if (!closed) options.onFault(error);
      });
    });
    timers.set(uid, timer);
  }

  function checkAll(): void {
    refresh();
    for (const { server } of remotes) {
      const { uid } = server.service.metadata;
      if (!timers.has(uid)) plan(uid, 0);
    }
  }

  const subscriber: CacheSubscriber = {
    onEvents(events) {
      refresh();
      for (const { entry, previous, type } of events) {
        if (type === 'DELETED') continue;
        const service = cache?.object(entry) as Live<APIService> | undefined;
        const before = previous && (cache?.object(previous) as Live<APIService> | undefined);
        if (!service?.spec.service) continue;
        if (!before || !jsonEqual(before.spec, service.spec) || !timers.has(service.metadata.uid))
          plan(service.metadata.uid, before ? recheckMs : 0);
      }
    },
    onEnd: () => undefined,
  };
  cache?.subscribe(subscriber);
  checkAll();

  return {
    remoteOf(path) {
      refresh();
      if (remotes.length === 0 || !path.startsWith('/apis/')) return undefined;
      const [, , group = '', version = ''] = path.split('/', 4);
      return byVersion.get(`${group}/${version}`);
    },
    remotes() {
      refresh();
      return remotes;
    },
    close() {
      closed = true;
      cache?.unsubscribe(subscriber);
      for (const timer of timers.values()) timer.cancel();
      for (const server of servers.values()) server.close();
    },
  };
}
