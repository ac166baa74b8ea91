import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { createServer, type Server, type Socket } from 'node:net';
import { answerQuery, type QueryContext } from './answer-query.ts';
import { framed } from './forwarder.ts';

export interface DnsServerOptions extends QueryContext {
  readonly address: string;
  /** The port for both protocols; when it is taken, another is chosen. 0 chooses at once. */
  readonly port: number;
}

/** A listening name server. */
export interface DnsServer {
  /** The port, the same for UDP and TCP. */
  readonly port: number;
  close(): Promise<void>;
}

const idleMs = 10_000;
const connectionLimit = 256;
const attempts = 20;

/** Listens for queries over UDP and TCP. */
export async function startDnsServer(options: DnsServerOptions): Promise<DnsServer> {
  let port = options.port;
  for (let attempt = 1; ; attempt++) {
    const udp = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
    const tcp = createServer();
    try {
      const bound = await bindUdp(udp, options.address, port);
      await listenTcp(tcp, options.address, bound);
      return serve(udp, tcp, options);
    } catch (error) {
      udp.close();
      tcp.close();
      const { code } = error as NodeJS.ErrnoException;
      if ((code !== 'EADDRINUSE' && code !== 'EACCES') || attempt === attempts) throw error;
      port = 0;
    }
  }
}

function bindUdp(socket: DatagramSocket, address: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind({ address, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      resolve(socket.address().port);
    });
  });
}

function listenTcp(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, exclusive: true }, () => {
      server.removeAllListeners('error');
      resolve();
    });
  });
}

function serve(udp: DatagramSocket, tcp: Server, options: DnsServerOptions): DnsServer {
  const connections = new Set<Socket>();
  udp.on('error', () => {});
  udp.on('message', (message, client) => {
    void answerQuery(message, 'udp', options).then((answer) => {
      if (answer && !closed) udp.send(answer, client.port, client.address, () => {});
    });
  });
  tcp.maxConnections = connectionLimit;
  tcp.on('error', () => {});
  tcp.on('connection', (socket) => {
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.setTimeout(idleMs, () => socket.destroy());
    let rest: Buffer = Buffer.alloc(0);
    socket.on('data', (part) => {
      rest = rest.length === 0 ? part : Buffer.concat([rest, part]);
      while (rest.length >= 2 && rest.length >= 2 + rest.readUInt16BE(0)) {
        const end = 2 + rest.readUInt16BE(0);
        const message = rest.subarray(2, end);
        rest = rest.subarray(end);
        void answerQuery(message, 'tcp', options).then((answer) => {
          if (answer && socket.writable) socket.write(framed(answer));
        });
      }
    });
  });
  let closed = false;
  return {
    port: udp.address().port,
    close: async () => {
      closed = true;
      for (const socket of connections) socket.destroy();
      await Promise.all([
        new Promise<void>((resolve) => udp.close(() => resolve())),
        new Promise<void>((resolve) => tcp.close(() => resolve())),
      ]);
    },
  };
}
