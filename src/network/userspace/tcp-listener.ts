import { connect, createServer, type Socket } from 'node:net';
import type { Frontend } from '../service-port.ts';
import type { Balancer } from './balancer.ts';
import type { Listener } from './listener.ts';

export interface ListenOptions {
  readonly address: string;
  readonly port: number;
  readonly role: Frontend['role'];
  readonly balancer: Balancer;
}

/** How many endpoints are tried before a client is refused. */
const attempts = 3;

/** Listens and carries each connection to an endpoint, half-closes included. Rejects with the system's error when it cannot listen. */
export function listenTcp({ address, port, role, balancer }: ListenOptions): Promise<Listener> {
  const open = new Set<Socket>();

  function track(socket: Socket): void {
    open.add(socket);
    socket.setNoDelay(true);
    socket.on('close', () => open.delete(socket));
  }

  function serve(client: Socket): void {
    client.on('error', () => client.destroy());
    track(client);
    reach(client, attempts);
  }

  function reach(client: Socket, left: number): void {
    const backend = balancer.pick(client.remoteAddress ?? '', role);
    if (!backend || left === 0) {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({ host: backend.ip, port: backend.port, allowHalfOpen: true });
    const giveUp = (): void => void upstream.destroy();
    client.once('close', giveUp);
    upstream.once('error', () => {
      client.off('close', giveUp);
      upstream.destroy();
      if (!client.destroyed) reach(client, left - 1);
    });
    upstream.once('connect', () => {
      track(upstream);
      upstream.removeAllListeners('error');
      upstream.on('error', () => client.resetAndDestroy());
      client.on('error', () => upstream.resetAndDestroy());
      upstream.once('close', () => client.destroySoon());
      client.pipe(upstream);
      upstream.pipe(client);
    });
  }

  return new Promise((resolve, reject) => {
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, serve);
    server.once('error', reject);
    server.listen({ host: address, port, exclusive: true, backlog: 4096 }, () =>
      resolve({
        endpointsChanged: () => {},
        release: () => void server.close(),
        destroy() {
          server.close();
          for (const socket of open) socket.destroy();
        },
      }),
    );
  });
}
