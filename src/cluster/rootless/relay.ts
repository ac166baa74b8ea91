import { rm } from 'node:fs/promises';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';

/**
 * A socket file that leads into the network of whoever serves it: the first line names `HOST PORT`, what follows is carried
 * there and back. Socket files reach across network namespaces.
 */
export async function serveRelay(path: string): Promise<Server> {
  await rm(path, { force: true });
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    client.on('error', () => client.destroy());
    let seen = Buffer.alloc(0);
    client.on('readable', function take() {
      const chunk = client.read() as Buffer | null;
      if (!chunk) return;
      seen = Buffer.concat([seen, chunk]);
      const end = seen.indexOf(10);
      if (end < 0) return;
      client.off('readable', take);
      client.unshift(seen.subarray(end + 1));
      const [host = '', port = ''] = seen.subarray(0, end).toString().split(' ');
      join(client, createConnection({ host, port: Number(port), allowHalfOpen: true }));
    });
  });
  await listening(server, { path });
  return server;
}

/** A connection through a relay. */
export function dialRelay(path: string, host: string, port: number): Socket {
  const socket = createConnection({ path, allowHalfOpen: true });
  socket.write(`${host} ${port}\n`);
  return socket;
}

/** Connections to registries through a relay, encrypted if their address says so. */
export function connectThrough(path: string): (url: URL) => Duplex {
  return ({ hostname, port, protocol }) => {
    const secure = protocol === 'https:';
    const socket = dialRelay(path, hostname, Number(port || (secure ? 443 : 80)));
    return secure ? connectTls({ socket, servername: hostname }) : socket;
  };
}

/** Listens on a port of this machine's loopback and carries connections to the same port behind a relay. */
export async function forwardPort(
  port: number,
  path: string,
): Promise<{ readonly port: number; close(): void }> {
  const open = new Set<Socket>();
  let target = port;
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    open.add(client);
    client.on('close', () => open.delete(client));
    join(client, dialRelay(path, '127.0.0.1', target));
  });
  await listening(server, { host: '127.0.0.1', port });
  const address = server.address();
  if (typeof address === 'object' && address) target = address.port;
  return {
    port: target,
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

function join(client: Socket, upstream: Socket): void {
  const end = (): void => {
    client.destroy();
    upstream.destroy();
  };
  client.on('error', end);
  upstream.on('error', end);
  client.on('close', () => upstream.destroySoon());
  upstream.on('close', () => client.destroySoon());
  client.pipe(upstream).pipe(client);
}

function listening(server: Server, where: { path: string } | { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
