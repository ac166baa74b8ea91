import { startReplacedThread } from '../../thread/replaced-thread.ts';
import type { IngressProxy, ListenerPorts, ProxySettings } from './ingress-proxy.ts';
import type { ProxyConfiguration, Upstream } from './proxy-configuration.ts';
import type { ProxyCall } from './proxy-message.ts';

export interface WorkerProxyOptions {
  /** The program of the thread: the built `bin/ingress-worker`. */
  readonly workerFile: string;
  /** Hears that the thread died; another takes over with the same configuration and, where they are free, ports. */
  onCrash(error: unknown): void;
}

/** A proxy in a worker thread; a thread that dies is replaced. */
export function createWorkerIngressProxy({ workerFile, onCrash }: WorkerProxyOptions): IngressProxy {
  const upstreams = new Map<string, Upstream>();
  let settings: ProxySettings | undefined;
  let configuration: ProxyConfiguration | undefined;
  const thread = startReplacedThread<ProxyCall>({
    workerFile,
    endedMessage: 'the thread of the proxy ended',
    onCrash,
    async restore(call) {
      if (settings) await call({ method: 'start', argument: settings });
      await call({ method: 'updateUpstreams', argument: { set: [...upstreams.values()], removed: [] } });
      if (configuration) await call({ method: 'configure', argument: configuration });
    },
  });

  return {
    async start(argument) {
      const port = (await thread.call({ method: 'start', argument })) as number;
      settings = { ...argument, metrics: { ...argument.metrics, port } };
      return port;
    },
    async configure(argument) {
      const ports = (await thread.call({ method: 'configure', argument })) as ListenerPorts;
      // Whoever was told of a port may count on it.
      configuration = {
        listeners: argument.listeners.map((listener) => {
          const found = ports[listener.name];
          return found && 'port' in found ? { ...listener, ports: [found.port] } : listener;
        }),
      };
      return ports;
    },
    async updateUpstreams(argument) {
      for (const name of argument.removed) upstreams.delete(name);
      for (const upstream of argument.set) upstreams.set(upstream.name, upstream);
      await thread.call({ method: 'updateUpstreams', argument });
    },
    async close() {
      await thread.call({ method: 'close' }).catch(() => {});
      await thread.terminate();
    },
  };
}
