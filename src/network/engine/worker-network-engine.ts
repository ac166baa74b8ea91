import { Worker } from 'node:worker_threads';
import type { DnsService } from '../dns/dns-service.ts';
import type { ServicePort } from '../service-port.ts';
import type { PortConflict } from '../service-proxy.ts';
import type { EngineCall, EngineReply, EngineRequest } from './engine-message.ts';
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
  let closing = false;
  let thread = start();

  function start(): Thread {
    const next = new Thread(options);
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
      await replay(next);
    } catch (error) {
      options.onCrash(error);
    }
  }

  async function replay(next: Thread): Promise<void> {
    if (dns) await next.call({ method: 'startDns', argument: dns });
    if (proxied !== undefined) await next.call({ method: 'startProxy', argument: proxied });
    await next.call({ method: 'updateDns', argument: { set: [...names.values()], removed: [] } });
    await next.call({
      method: 'updateServices',
      argument: { set: [...services.values()], removed: [] },
    });
  }

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
      closing = true;
      // Its sockets go with the thread, whatever connections are still open.
      await thread.worker.terminate();
    },
  };
}

/** One thread and the calls that wait for its answers. */
class Thread {
  readonly worker: Worker;
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  #last = 0;

  constructor({ workerFile, onConflict }: WorkerEngineOptions) {
    this.worker = new Worker(workerFile);
    this.worker.on('message', (reply: EngineReply) => {
      if (reply.kind === 'conflict') {
        onConflict(reply.conflict);
        return;
      }
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (reply.kind === 'result') waiting?.resolve(reply.result);
      else waiting?.reject(new Error(reply.message));
    });
    this.worker.on('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('the network thread ended'));
      this.#waiting.clear();
    });
  }

  call(call: EngineCall): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const request: EngineRequest = { id: ++this.#last, call };
      this.#waiting.set(request.id, { resolve, reject });
      this.worker.postMessage(request);
    });
  }
}
