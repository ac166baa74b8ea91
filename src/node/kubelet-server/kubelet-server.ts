import { createServer } from 'node:https';
import { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import type { KubeletBackend } from './kubelet-backend.ts';
import { plainStatusOf } from './http-errors.ts';
import type { KubeletGuard } from './kubelet-guard.ts';
import { parseKubeletPath } from './kubelet-path.ts';
import type { NodePage } from './node-pages.ts';
import { serveLogs } from './serve-logs.ts';
import { serveStream } from './serve-stream.ts';

export interface KubeletServerOptions {
  readonly agent: () => KubeletBackend;
  readonly clock: Clock;
  /** What a GET of a path is answered with that is not about a pod; undefined for other paths. */
  readonly pages: (path: string) => NodePage | undefined;
  /** Who may ask for what. */
  readonly guard: KubeletGuard;
  readonly tls: {
    readonly cert: string;
    readonly key: string;
    /** Authority that signs those who may ask. */
    readonly clientCa: string;
  };
}

/** Of a request line and headers: commands of `exec` stand in the URL. */
const maxHeaderBytes = 1 << 20;

/** The HTTPS endpoint of a node: its pods, what they use, their logs, exec, attach and port-forward. */
export interface KubeletServer {
  /** Resolves to the port; may be called for several addresses. */
  listen(address: { readonly host: string; readonly port: number }): Promise<number>;
  /** Serves with another certificate from now on. */
  renew(pair: { readonly cert: string; readonly key: string }): void;
  close(): Promise<void>;
}

/** Serves one node's pods to those whom its guard lets in. */
export function createKubeletServer(options: KubeletServerOptions): KubeletServer {
  const { cert, key, clientCa } = options.tls;
  const server = createServer({
    cert,
    key,
    ca: clientCa,
    requestCert: true,
    rejectUnauthorized: false,
    maxHeaderSize: maxHeaderBytes,
  });
  const sockets = new Set<Duplex>();
  const listeners: Server[] = [];
  server.on('request', (request, response) => void answer(request, response));
  server.on('upgrade', (request, socket, head) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    void upgrade(request, socket, head);
  });
  server.on('tlsClientError', () => undefined);
  server.on('secureConnection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refused = await options.guard.refusal(request);
    if (refused) {
      response.writeHead(refused.code, { 'content-type': 'text/plain; charset=utf-8' }).end(refused.text);
      return;
    }
    const url = new URL(request.url ?? '/', 'https://node');
    try {
      const page = options.pages(url.pathname);
      if (page) {
        response.writeHead(200, { 'content-type': page.type }).end(page.body);
        return;
      }
      if (url.pathname === '/logs' || url.pathname.startsWith('/logs/')) {
        response
          .writeHead(405, { 'content-type': 'text/plain; charset=utf-8' })
          .end('logs endpoint is disabled.\n');
        return;
      }
      const target = parseKubeletPath(url.pathname);
      if (target?.verb === 'containerLogs') {
        await serveLogs(response, { agent: options.agent(), target, query: url.searchParams });
        return;
      }
      if (target) {
        response
          .writeHead(400, { 'content-type': 'text/plain; charset=utf-8' })
          .end('Upgrade request required\n');
        return;
      }
      response.writeHead(404, { 'content-type': 'text/plain; charset=utf-8' }).end('404 page not found\n');
    } catch (error) {
      if (response.headersSent) {
        response.destroy();
        return;
      }
      const { code, type, body } = plainStatusOf(error);
      response.writeHead(code, { 'content-type': type }).end(body);
    }
  }

  async function upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    const refused = await options.guard.refusal(request);
    try {
      if (refused) {
        refuse(socket, refused.code, refused.text);
        return;
      }
      const url = new URL(request.url ?? '/', 'https://node');
      const target = parseKubeletPath(url.pathname);
      if (!target || target.verb === 'containerLogs') {
        refuse(socket, 404, '404 page not found\n');
        return;
      }
      await serveStream({
        request,
        socket,
        head,
        target,
        query: url.searchParams,
        agent: options.agent(),
        clock: options.clock,
      });
    } catch (error) {
      const { code, type, body } = plainStatusOf(error);
      refuse(socket, code, body, type);
    }
  }

  return {
    renew: (pair) => server.setSecureContext({ ...pair, ca: clientCa }),
    listen: ({ host, port }) =>
      new Promise((resolve, reject) => {
        const listener = createTcpServer((socket) => void server.emit('connection', socket));
        listener.once('error', reject);
        listener.listen({ host, port }, () => {
          listener.off('error', reject);
          listeners.push(listener);
          resolve((listener.address() as AddressInfo).port);
        });
      }),
    async close() {
      for (const socket of sockets) socket.destroy();
      server.closeAllConnections();
      await Promise.all(listeners.map((one) => new Promise<void>((done) => void one.close(() => done()))));
    },
  };
}

function refuse(socket: Duplex, code: number, text: string, type = 'text/plain; charset=utf-8'): void {
  if (!socket.writable) return;
  socket.end(
    `HTTP/1.1 ${code} ${STATUS_CODES[code] ?? 'Error'}\r\nContent-Type: ${type}\r\nContent-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
  );
}
