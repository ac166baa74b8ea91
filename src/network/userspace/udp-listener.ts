import { createSocket, type Socket } from 'node:dgram';
import type { Clock } from '../../base/clock.ts';
import type { Backend } from '../service-port.ts';
import type { Listener } from './listener.ts';
import type { ListenOptions } from './tcp-listener.ts';

/** A client that is silent for so long gets a new flow (and perhaps another endpoint), as with the kernel's defaults. */
const idleMs = 30_000;
const flowLimit = 4096;

interface Flow {
  readonly backend: Backend;
  readonly socket: Socket;
  used: number;
}

/** Listens and carries datagrams; each client has a socket of its own towards its endpoint, until it is idle. */
export function listenUdp(options: ListenOptions & { readonly clock: Clock }): Promise<Listener> {
  const { clock, balancer } = options;
  const type = options.address.includes(':') ? 'udp6' : 'udp4';
  const server = createSocket(type);
  const flows = new Map<string, Flow>();
  let sweeping = false;

  function end(key: string, flow: Flow): void {
    if (flows.get(key) === flow) flows.delete(key);
    flow.socket.close();
  }

  function sweep(): void {
    const now = clock.monotonic();
    for (const [key, flow] of flows) if (now - flow.used >= idleMs) end(key, flow);
    sweeping = flows.size > 0;
    if (sweeping) clock.after(idleMs / 2, sweep);
  }

  function open(key: string, client: { readonly address: string; readonly port: number }): Flow | undefined {
    const backend = balancer.pick(client.address, options.role);
    if (!backend) return undefined;
    const socket = createSocket(type);
    const flow = { backend, socket, used: clock.monotonic() };
    socket.on('message', (message) => {
      flow.used = clock.monotonic();
      server.send(message, client.port, client.address, () => {});
    });
    socket.on('error', () => end(key, flow));
    flows.set(key, flow);
    if (flows.size > flowLimit) for (const [oldest, other] of flows) return (end(oldest, other), flow);
    if (!sweeping) {
      sweeping = true;
      clock.after(idleMs / 2, sweep);
    }
    return flow;
  }

  function endAll(which: (flow: Flow) => boolean): void {
    for (const [key, flow] of flows) if (which(flow)) end(key, flow);
  }

  server.on('message', (message, client) => {
    const key = `${client.address}:${client.port}`;
    const flow = flows.get(key) ?? open(key, client);
    if (!flow) return;
    flow.used = clock.monotonic();
    flow.socket.send(message, flow.backend.port, flow.backend.ip, () => {});
  });

  const close = (): void => {
    endAll(() => true);
    server.close();
  };
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.bind({ address: options.address, port: options.port, exclusive: true }, () => {
      server.removeAllListeners('error');
      server.on('error', () => {});
      resolve({
        endpointsChanged: () => endAll((flow) => !balancer.has(flow.backend)),
        release: close,
        destroy: close,
      });
    });
  });
}
