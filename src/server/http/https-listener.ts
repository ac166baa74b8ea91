import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { HttpRequest, HttpResponse } from './exchange.ts';

export interface HttpsListenerOptions {
  /** PEM. */
  readonly tls: { readonly cert: string; readonly key: string; readonly clientCa: string };
  onRequest(request: HttpRequest, response: HttpResponse): void;
  onUpgrade(request: IncomingMessage, connection: { readonly socket: Duplex; readonly head: Buffer }): void;
}

/** Megabytes of buffers that one HTTP/2 connection may hold: many watches share it. */
const sessionMemoryMb = 256;
const drainMs = 1_000;

/** One address on which HTTP/1.1 and HTTP/2 over TLS are spoken. */
export class HttpsListener {
  readonly #server: Http2SecureServer;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #sockets = new Set<Socket>();

  constructor(options: HttpsListenerOptions) {
    const { cert, key, clientCa } = options.tls;
    this.#server = createSecureServer({
      allowHTTP1: true,
      cert,
      key,
      ca: clientCa,
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      maxSessionMemory: sessionMemoryMb,
      settings: { maxConcurrentStreams: 1000, initialWindowSize: 1024 * 1024 },
    });
    this.#server.on('request', (request, response) => options.onRequest(request, response));
    this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      options.onUpgrade(request, { socket, head }),
    );
    this.#server.on('session', (session) => {
      this.#sessions.add(session);
      session.on('close', () => this.#sessions.delete(session));
      session.on('error', () => session.destroy());
    });
    this.#server.on('secureConnection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => socket.destroy());
    });
    // A client that speaks no TLS, or breaks the protocol, concerns nobody else.
    this.#server.on('tlsClientError', (_error: Error, socket: Duplex) => socket.destroy());
    this.#server.on('clientError', (_error: Error, socket: Duplex) => socket.destroy());
    this.#server.on('sessionError', () => undefined);
  }

  /** Resolves to the address once connections are accepted. Rejects with the system's error (`EADDRINUSE`). */
  listen(address: { readonly host: string; readonly port: number }): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(address.port, address.host, () => {
        this.#server.off('error', reject);
        this.#server.on('error', () => undefined);
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  /** Accepts no more, lets running requests finish for a second, then cuts what is left. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        for (const session of this.#sessions) session.destroy();
        for (const socket of this.#sockets) socket.destroy();
      }, drainMs);
      this.#server.close(() => {
        clearTimeout(timer);
        resolve();
      });
      for (const session of this.#sessions) session.close();
      for (const socket of this.#sockets)
        if (!('encrypted' in socket && this.#isBusy(socket))) socket.destroySoon();
    });
  }

  #isBusy(socket: Socket): boolean {
    return socket.bytesWritten > 0 && socket.writableLength > 0;
  }
}
