import type { DnsService } from '../dns/dns-service.ts';
import { startReplacedThread } from '../thread/replaced-thread.ts';
import type { ServicePort } from '../service-port.ts';
import type { PortConflict } from '../service-proxy.ts';
import type { ConflictNotice, EngineCall } from './engine-message.ts';
import type { DnsConfiguration, NetworkEngine } from './network-engine.ts';

export interface WorkerEngineOptions {
  /** The program of the thread: the built `bin/network-worker`. */
  readonly workerFile: string;
  onConflict(conflict: PortConflict): void;
  /** Hears that the thread died; another takes over with the same configuration. */
  onCrash(error: unknown): void;
}

/** An engine in a worker thread; a thread that dies is replaced. */
export function createWorkerNetworkEngine(options: WorkerEngineOptions): NetworkEngine {
  const services = new Map<string, ServicePort>();
  const names = new Map<string, DnsService>();
  let dns: DnsConfiguration | undefined;
  let proxied: string | undefined;
  const thread = startReplacedThread<EngineCall, ConflictNotice>({
    workerFile: options.workerFile,
    endedMessage: 'the network thread ended',
    onCrash: (error) => options.onCrash(error),
    onNotice: ({ conflict }) => options.onConflict(conflict),
    async restore(call) {
      if (dns) await call({ method: 'startDns', argument: dns });
      if (proxied !== undefined) await call({ method: 'startProxy', argument: proxied });
      await call({ method: 'updateDns', argument: { set: [...names.values()], removed: [] } });
      await call({ method: 'updateServices', argument: { set: [...services.values()], removed: [] } });
    },
  });

  return {
    async startDns(argument) {
      const port = (await thread.call({ method: 'startDns', argument })) as number;
      dns = { ...argument, port };
      return port;
    },
    async updateDns(argument) {
      for (const { namespace, name } of argument.removed) names.delete(`${namespace}/${name}`);
      for (const service of argument.set) names.set(`${service.namespace}/${service.name}`, service);
      await thread.call({ method: 'updateDns', argument });
    },
    async startProxy(argument) {
      proxied = argument;
      return (await thread.call({ method: 'startProxy', argument })) as readonly string[];
    },
    async updateServices(argument) {
      for (const key of argument.removed) services.delete(key);
      for (const port of argument.set) services.set(port.key, port);
      await thread.call({ method: 'updateServices', argument });
    },
    async close() {
      // Its sockets go with the thread, whatever connections are still open.
      await thread.terminate();
    },
  };
}
