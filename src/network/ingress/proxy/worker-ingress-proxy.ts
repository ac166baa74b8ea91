import { Worker } from 'node:worker_threads';
import type { IngressProxy, ListenerPorts, ProxySettings } from './ingress-proxy.ts';
import type { ProxyConfiguration, Upstream } from './proxy-configuration.ts';
import type { ProxyCall, ProxyReply, ProxyRequest } from './proxy-message.ts';

export interface WorkerProxyOptions {
  /** The program of the thread: the built `bin/ingress-worker`. */
  readonly workerFile: string;
  /** Hears that the thread died; another takes over with the same configuration and, where they are free, ports. */
  onCrash(error: unknown): void;
}

/** A proxy in a worker thread; a thread that dies is replaced. */
export function createWorkerIngressProxy(options: WorkerProxyOptions): IngressProxy {
  const upstreams = new Map<string, Upstream>();
  let settings: ProxySettings | undefined;
  let configuration: ProxyConfiguration | undefined;
  let closing = false;
  let thread = start();

  function start(): Thread {
    const next = new Thread(options.workerFile);
    next.worker.on('error', (error) => {
      if (closing) return;
      options.onCrash(error);
      thread = start();
      void restore(thread);
    });
    return next;
  }

  async function restore(next: Thread): Promise<void> {
    try {
      if (settings) await next.call({ method: 'start', argument: settings });
      await next.call({ method: 'updateUpstreams', argument: { set: [...upstreams.values()], removed: [] } });
      if (configuration) await next.call({ method: 'configure', argument: configuration });
    } catch (error) {
      options.onCrash(error);
    }
  }

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
      closing = true;
      await thread.call({ method: 'close' }).catch(() => {});
      await thread.worker.terminate();
    },
  };
}

/** One thread and the calls that wait for its answers. */
class Thread {
  readonly worker: Worker;
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  #last = 0;

  constructor(workerFile: string) {
    this.worker = new Worker(workerFile);
    this.worker.on('message', (reply: ProxyReply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (reply.kind === 'result') waiting?.resolve(reply.result);
      else waiting?.reject(new Error(reply.message));
    });
    this.worker.on('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the thread of the proxy ended'));
      this.#waiting.clear();
    });
  }

  call(call: ProxyCall): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const request: ProxyRequest = { id: ++this.#last, call };
      this.#waiting.set(request.id, { resolve, reject });
      this.worker.postMessage(request);
    });
  }
}
