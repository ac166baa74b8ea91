import type { Clock } from '../../base/clock.ts';
import { Forwarder } from '../dns/forwarder.ts';
import { startDnsServer, type DnsServer } from '../dns/dns-server.ts';
import type { DnsService } from '../dns/dns-service.ts';
import { machineNameServers } from '../dns/name-servers.ts';
import { ResponseCache } from '../dns/response-cache.ts';
import { Zone } from '../dns/zone.ts';
import type { PortConflict, ServiceChange, ServiceProxy } from '../service-proxy.ts';
import { UserspaceProxy } from '../userspace/userspace-proxy.ts';

/** Where and what DNS serves; plain data. */
export interface DnsConfiguration {
  readonly address: string;
  readonly port: number;
  /** `cluster.local` */
  readonly domain: string;
  /** Ranges for which reverse lookups are answered here. */
  readonly ranges: readonly string[];
  /** Names the servers that are asked for all other names: `/etc/resolv.conf`. */
  readonly resolvConf: string;
}

export interface DnsChange {
  readonly set: readonly DnsService[];
  readonly removed: readonly { readonly namespace: string; readonly name: string }[];
}

/** What moves packets or answers queries in user space; it can run in a thread of its own. Arguments and results are plain data. */
export interface NetworkEngine {
  /** Resolves to the port on which DNS listens, when it does. */
  startDns(configuration: DnsConfiguration): Promise<number>;
  updateDns(change: DnsChange): Promise<void>;
  /** Starts the user-space proxy of a cluster; resolves to its limitations. */
  startProxy(clusterId: string): Promise<readonly string[]>;
  updateServices(change: ServiceChange): Promise<void>;
  close(): Promise<void>;
}

/** The engine in this thread. */
export function createNetworkEngine(
  clock: Clock,
  onConflict: (conflict: PortConflict) => void,
): NetworkEngine {
  let zone: Zone | undefined;
  let server: DnsServer | undefined;
  let proxy: ServiceProxy | undefined;
  return {
    async startDns({ address, port, domain, ranges, resolvConf }) {
      zone = new Zone({ domain, ranges });
      const forwarder = new Forwarder({ clock, servers: machineNameServers(resolvConf, clock) });
      server = await startDnsServer({ address, port, zone, forwarder, cache: new ResponseCache(clock) });
      return server.port;
    },
    updateDns(change) {
      for (const { namespace, name } of change.removed) zone?.delete(namespace, name);
      for (const service of change.set) zone?.set(service);
      return Promise.resolve();
    },
    startProxy(clusterId) {
      proxy = new UserspaceProxy({ clusterId, clock, onConflict });
      return Promise.resolve(proxy.limitations);
    },
    updateServices: async (change) => await proxy?.update(change),
    async close() {
      await Promise.all([server?.close(), proxy?.close()]);
    },
  };
}
