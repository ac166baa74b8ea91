import type { Clock } from '../../base/clock.ts';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from 'node:http2';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo, ServerOpts, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { HttpRequest, HttpResponse } from './exchange.ts';
import { answerUnread } from './unread-request.ts';

export interface HttpsListenerOptions {
  readonly clock: Clock;
  /** PEM. */
  readonly tls: {
    readonly cert: string;
    readonly key: string;
    readonly clientCa: string | readonly string[];
  };
  /** A client and this server did not agree on encryption. */
  onHandshakeError(): void;
  onRequest(request: HttpRequest, response: HttpResponse): void;
  onUpgrade(request: IncomingMessage, connection: { readonly socket: Duplex; readonly head: Buffer }): void;
}

/** Megabytes of buffers that one HTTP/2 connection may hold: many watches share it. */
const sessionMemoryMb = 256;
const drainMs = 1_000;
/** Of a request line and headers, as upstream's: commands of `exec` stand in the URL. */
const maxHeaderSize = 1 << 20;

/** Handshakes that may begin at once, and how long it takes until one more may. */
const handshakesAtOnce = 1;
const handshakeEveryMs = 8;

/** One address on which HTTP/1.1 and HTTP/2 over TLS are spoken. */
export class HttpsListener {
  readonly #server: Http2SecureServer;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #sockets = new Set<Socket>();
  readonly #clock: Clock;
  #running = 0;
  #drained: (() => void) | undefined;

  constructor(options: HttpsListenerOptions) {
    this.#clock = options.clock;
    const { cert, key, clientCa } = options.tls;
    this.#server = createSecureServer({
      allowHTTP1: true,
      cert,
      key,
      ca: [clientCa].flat(),
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      maxSessionMemory: sessionMemoryMb,
      ...({ pauseOnConnect: true } satisfies ServerOpts),
      settings: { maxConcurrentStreams: 1000, initialWindowSize: 1024 * 1024 },
    });
    this.#admitInTurn();
    // The server hands connections of HTTP/1.1 on with this, but takes it from no option.
    Object.assign(this.#server, { maxHeaderSize });
    this.#server.on('request', (request, response) => {
      this.#track(response);
      options.onRequest(request, response);
    });
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
    this.#server.on('tlsClientError', (_error: Error, socket: Duplex) => {
      options.onHandshakeError();
      socket.destroy();
    });
    this.#server.on('clientError', (error: Error, socket: Duplex) => {
      if (socket.writable) socket.end(answerUnread(error, socket));
      else socket.destroy();
    });
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

  /** Accepts no more, gives running requests a second to finish, then cuts every connection. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      for (const session of this.#sessions) session.close();
      const timer = this.#clock.after(drainMs, () => this.#cut());
      this.#drained = () => {
        timer.cancel();
        this.#cut();
      };
      if (this.#running === 0) this.#drained();
    });
  }

  /** Spaces TLS handshakes, which are long work, when many want one, so that open connections are served between them. */
  #admitInTurn(): void {
    const [handshake] = this.#server.listeners('connection');
    const waiting: Socket[] = [];
    let credit = handshakesAtOnce;
    let earning = false;
    const earn = (): void => {
      if (earning || credit >= handshakesAtOnce) return;
      earning = true;
      this.#clock.after(handshakeEveryMs, () => {
        earning = false;
        credit++;
        next();
        earn();
      });
    };
    const next = (): void => {
      while (waiting.length > 0 && credit > 0) {
        const socket = waiting.shift();
        if (!socket || socket.destroyed) continue;
        credit--;
        handshake?.call(this.#server, socket);
      }
      earn();
    };
    this.#server.removeAllListeners('connection').on('connection', (socket: Socket) => {
      waiting.push(socket);
      next();
    });
  }

  #cut(): void {
    for (const session of this.#sessions) session.destroy();
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Counts a request until its answer is sent or its connection is gone. */
  #track(response: HttpResponse): void {
    this.#running++;
    response.once('close', () => {
      this.#running--;
      if (this.#running === 0) this.#drained?.();
    });
  }
}
