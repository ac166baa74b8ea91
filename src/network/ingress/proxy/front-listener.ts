import { createServer as createHttpServer, ServerResponse, type Server as HttpServer } from 'node:http';
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Session } from 'node:http2';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import {
  createSecureContext,
  createServer as createTlsServer,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import { asksForServerName } from './client-hello.ts';
import { http1Exchange, http2Exchange, type FrontExchange, type UpgradeRequest } from './front-exchange.ts';
import type { DirectServer } from './direct/direct-server.ts';
import type { ProxyCertificate } from './proxy-configuration.ts';

/** Who called, on which connection. */
export interface Caller {
  readonly address: string;
  /** The server name of TLS. */
  readonly serverName?: string;
}

export interface FrontListenerOptions {
  readonly address: string;
  readonly ports: readonly number[];
  readonly tls: boolean;
  onExchange(exchange: FrontExchange, caller: Caller): void;
  onUpgrade(upgrade: UpgradeRequest, caller: Caller): void;
  /** Is offered connections of HTTP/1.1 first; those that it hands over are served through `onExchange`. */
  readonly direct: DirectServer;
  /** Hears that a connection was opened (1) or closed (-1). */
  onConnection(change: 1 | -1): void;
}

/** A port that speaks HTTP/1.1 and HTTP/2: by ALPN over TLS, by prior knowledge without. */
export interface FrontListener {
  readonly port: number;
  setCertificates(certificates: readonly ProxyCertificate[]): void;
  /** Stops accepting. What is being answered is answered to its end. */
  close(): void;
  /** Ends every connection at once. */
  destroy(): void;
}

const preface = Buffer.from('PRI * HTTP/2.0');
const idleMs = 75_000;
const headersMs = 30_000;
const handshakeMs = 10_000;
const maxStreams = 256;

/** Listens on the first of `ports` that is free. Throws what the last of them said. */
export async function startFrontListener(options: FrontListenerOptions): Promise<FrontListener> {
  const sessions = new Set<ServerHttp2Session>();
  const sockets = new Set<Socket>();
  const contexts = createContexts();
  let closing = false;
  const http1 = startHttp1(options, () => closing);
  const http2 = startHttp2(options, sessions);

  const serveHttp1 = (socket: Socket, bytes: Buffer): void =>
    options.direct.accept(
      { socket, client: callerOf(socket).address, handOver: (rest) => handOver(http1, socket, rest) },
      bytes,
    );
  const accept = options.tls
    ? acceptTls(contexts, (socket) => {
        if (socket.alpnProtocol === 'h2') http2.emit('connection', socket);
        else serveHttp1(socket, Buffer.alloc(0));
      })
    : (socket: Socket): void => sortOut(socket, (seen) => acceptPlain(socket, seen, { serveHttp1, http2 }));
  const server = createTcpServer({ noDelay: true }, accept);
  server.on('connection', (socket: Socket) => {
    socket.setNoDelay(true);
    socket.on('error', () => {});
    sockets.add(socket);
    options.onConnection(1);
    socket.once('close', () => {
      sockets.delete(socket);
      options.onConnection(-1);
    });
  });
  const port = await listenOnFirst(server, options.address, options.ports);
  return {
    port,
    setCertificates: (certificates) => contexts.set(certificates),
    close() {
      if (closing) return;
      closing = true;
      server.close();
      http1.close();
      options.direct.close();
      for (const session of sessions) session.close();
    },
    destroy() {
      closing = true;
      server.close();
      for (const session of sessions) session.destroy();
      for (const socket of sockets) socket.destroy();
      http1.close();
    },
  };
}

function startHttp1({ onExchange, onUpgrade }: FrontListenerOptions, isClosing: () => boolean): HttpServer {
  const server = createHttpServer(
    {
      keepAlive: true,
      keepAliveTimeout: idleMs,
      headersTimeout: headersMs,
      requestTimeout: 0,
      connectionsCheckingInterval: 10_000,
    },
    (request, response) => {
      if (isClosing()) response.shouldKeepAlive = false;
      onExchange(http1Exchange(request, response), callerOf(request.socket));
    },
  );
  server.on('upgrade', (request, socket, head) => {
    const asked = request.headers.upgrade?.toLowerCase() ?? '';
    if (asked !== '' && asked !== 'h2c')
      return onUpgrade({ request, socket, head }, callerOf(request.socket));
    // An offer of HTTP/2 in clear text is not taken up: the request is answered as it is.
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(request.socket);
    response.once('finish', () => socket.end());
    onExchange(http1Exchange(request, response), callerOf(request.socket));
  });
  // Connections are handed to it by others; without this it would not watch over slow ones.
  server.emit('listening');
  return server;
}

function startHttp2({ onExchange }: FrontListenerOptions, sessions: Set<ServerHttp2Session>): Http2Server {
  const server = createHttp2Server({
    settings: { maxConcurrentStreams: maxStreams, initialWindowSize: 1024 * 1024 },
    maxSessionMemory: 64,
  });
  server.on('session', (session) => {
    sessions.add(session);
    session.setLocalWindowSize(4 * 1024 * 1024);
    let streams = 0;
    session.on('stream', (stream) => {
      streams += 1;
      stream.once('close', () => (streams -= 1));
    });
    // A stream may be quiet for long; a connection without streams may not.
    session.setTimeout(idleMs, () => {
      if (streams === 0) session.close();
    });
    session.once('close', () => sessions.delete(session));
    session.on('error', () => {});
  });
  server.on('stream', (stream, headers) => {
    const socket = stream.session?.socket;
    onExchange(http2Exchange(stream, headers), socket ? callerOf(socket) : { address: '' });
  });
  return server;
}

function callerOf(socket: Socket | TLSSocket): Caller {
  const address = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  const serverName = 'servername' in socket ? socket.servername : undefined;
  return { address, ...(typeof serverName === 'string' && serverName !== '' && { serverName }) };
}

/** Looks at the first bytes until `decide` knows what to do with the connection, which has them then again. */
function sortOut(socket: Socket, decide: (seen: Buffer) => 'decided' | 'more'): void {
  let seen: Buffer = Buffer.alloc(0);
  const timer = setTimeout(() => socket.destroy(), headersMs);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
  const read = (chunk: Buffer): void => {
    seen = seen.length === 0 ? chunk : Buffer.concat([seen, chunk]);
    socket.pause();
    socket.off('data', read);
    if (decide(seen) === 'decided') {
      clearTimeout(timer);
      return;
    }
    socket.on('data', read);
    socket.resume();
  };
  socket.on('data', read);
}

/** HTTP/2 begins with its preface. */
function acceptPlain(
  socket: Socket,
  seen: Buffer,
  served: { serveHttp1(socket: Socket, bytes: Buffer): void; readonly http2: Http2Server },
): 'decided' | 'more' {
  const length = Math.min(seen.length, preface.length);
  const begins = seen.compare(preface, 0, length, 0, length) === 0;
  if (begins && seen.length < preface.length) return 'more';
  if (begins) {
    // It takes what was put back by itself.
    socket.unshift(seen);
    served.http2.emit('connection', socket);
  } else {
    served.serveHttp1(socket, seen);
    socket.resume();
  }
  return 'decided';
}

/** Has a connection read anew from `bytes` on. */
function handOver(server: HttpServer, socket: Socket, bytes: Buffer): void {
  socket.pause();
  if (bytes.length > 0) socket.unshift(bytes);
  server.emit('connection', socket);
  socket.resume();
}

/**
 * Takes connections over TLS. A client that names its server gets the certificate for that name and no other: a context with
 * a certificate of its own would offer that, too, and clients choose by the kind of key. The others get the fallback.
 */
function acceptTls(contexts: Contexts, onSocket: (socket: TLSSocket) => void): (socket: Socket) => void {
  const common = {
    ALPNProtocols: ['h2', 'http/1.1'],
    handshakeTimeout: handshakeMs,
    minVersion: 'TLSv1.2' as const,
  };
  const take = (socket: TLSSocket): void => {
    socket.on('error', () => {});
    onSocket(socket);
  };
  const named = createTlsServer(
    { ...common, SNICallback: (name, done) => done(null, contexts.find(name.toLowerCase())) },
    take,
  );
  const unnamed = createTlsServer(common, take);
  // Scanners and clients that do not trust a certificate are no concern of the others.
  for (const server of [named, unnamed]) server.on('tlsClientError', () => {});
  let set: ProxyCertificate | undefined;
  return (socket) =>
    sortOut(socket, (seen) => {
      const asks = asksForServerName(seen);
      if (asks === 'more') return 'more';
      const fallback = contexts.fallback();
      if (asks === 'no' && fallback && fallback !== set) {
        unnamed.setSecureContext({ cert: fallback.cert, key: fallback.key });
        set = fallback;
      }
      socket.unshift(seen);
      (asks === 'no' ? unnamed : named).emit('connection', socket);
      return 'decided';
    });
}

interface Contexts {
  set(certificates: readonly ProxyCertificate[]): void;
  /** For a server name: its own, that of a star, or the fallback. */
  find(name: string): SecureContext | undefined;
  fallback(): ProxyCertificate | undefined;
}

function createContexts(): Contexts {
  let known = new Map<string, Known>();
  let fallback: Known | undefined;
  return {
    set(certificates) {
      const before = known;
      known = new Map();
      for (const certificate of certificates)
        for (const host of certificate.hosts.length === 0 ? [''] : certificate.hosts) {
          if (known.has(host)) continue;
          const old = before.get(host);
          const same = old?.certificate.cert === certificate.cert && old.certificate.key === certificate.key;
          known.set(host, same && old ? old : { certificate });
        }
      fallback = known.get('') ?? known.values().next().value;
    },
    find(name) {
      const found = [name, ...starsOf(name)].map((host) => known.get(host)).find(Boolean) ?? fallback;
      if (!found) return undefined;
      found.context ??= createSecureContext({ cert: found.certificate.cert, key: found.certificate.key });
      return found.context;
    },
    fallback: () => fallback?.certificate,
  };
}

interface Known {
  readonly certificate: ProxyCertificate;
  context?: SecureContext;
}

function starsOf(name: string): readonly string[] {
  const labels = name.split('.');
  return labels.slice(1).flatMap((_, at) => {
    const suffix = labels.slice(at + 1).join('.');
    return at === 0 ? [`*.${suffix}`, `**.${suffix}`] : [`**.${suffix}`];
  });
}

async function listenOnFirst(server: Server, address: string, ports: readonly number[]): Promise<number> {
  let last: unknown = new Error('no port was given');
  for (const port of ports) {
    try {
      return await listen(server, address, port);
    } catch (error) {
      last = error;
    }
  }
  throw last;
}

function listen(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(error);
    server.once('error', fail);
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', fail);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
