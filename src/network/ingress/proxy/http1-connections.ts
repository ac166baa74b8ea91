import { Agent, request as requestHttp, type ClientRequest, type IncomingMessage } from 'node:http';
import { Agent as TlsAgent, request as requestHttps } from 'node:https';
import { headerValue, type HeaderList } from './header-list.ts';
import type { Upstream, UpstreamEndpoint } from './proxy-configuration.ts';
import {
  connectTimeoutMs,
  isIdempotent,
  type SentRequest,
  type UpstreamHandler,
  type UpstreamRequest,
} from './upstream-exchange.ts';

/** Connections to endpoints that speak HTTP/1.1, kept for the next request. */
export interface Http1Connections {
  send(target: Http1Target, request: UpstreamRequest, handler: UpstreamHandler): SentRequest;
  /** Closes idle connections to an endpoint. */
  forget(endpoint: UpstreamEndpoint): void;
  close(): void;
}

export interface Http1Target {
  readonly upstream: Upstream;
  readonly endpoint: UpstreamEndpoint;
}

const idleMs = 4_000;
const maxIdle = 256;

export function createHttp1Connections(): Http1Connections {
  const settings = { keepAlive: true, maxFreeSockets: maxIdle, timeout: idleMs, scheduling: 'lifo' as const };
  const plain = new Agent(settings);
  const secure = new TlsAgent({ ...settings, maxCachedSessions: 0 });
  return {
    send: (target, request, handler) => send(open(target, request), request, handler),
    forget({ ip, port }) {
      for (const agent of [plain, secure])
        for (const [name, sockets] of Object.entries(agent.freeSockets))
          if (name.startsWith(`${ip}:${port}:`)) for (const socket of sockets ?? []) socket.destroy();
    },
    close() {
      plain.destroy();
      secure.destroy();
    },
  };

  function open(
    { upstream, endpoint }: Http1Target,
    { method, path, headers, body }: UpstreamRequest,
  ): ClientRequest {
    const common = {
      host: endpoint.ip,
      port: endpoint.port,
      method,
      path,
      setHost: false,
      headers: framed(method, headers, body !== undefined),
    };
    if (upstream.protocol !== 'https') return requestHttp({ ...common, agent: plain });
    const { tls } = upstream;
    return requestHttps({
      ...common,
      agent: secure,
      rejectUnauthorized: tls !== undefined,
      ...(tls && { servername: tls.serverName }),
      ...(tls?.authorities !== undefined && { ca: tls.authorities }),
    });
  }
}

function send(outgoing: ClientRequest, request: UpstreamRequest, handler: UpstreamHandler): SentRequest {
  let connected = false;
  let settled = false;
  outgoing.on('socket', (socket) => {
    if (!socket.connecting) {
      begin();
      return;
    }
    const timer = setTimeout(
      () => outgoing.destroy(Object.assign(new Error('connect timed out'), { code: 'ETIMEDOUT' })),
      connectTimeoutMs,
    );
    socket.once('close', () => clearTimeout(timer));
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      begin();
    });
  });
  outgoing.on('response', (incoming: IncomingMessage) => {
    settled = true;
    incoming.on('error', () => {});
    handler.onResponse({
      status: incoming.statusCode ?? 502,
      headers: incoming.rawHeaders,
      body: incoming,
      trailers: () => incoming.rawTrailers,
    });
  });
  outgoing.on('error', (error) => {
    if (settled) return;
    settled = true;
    // An endpoint may close an idle connection while a request is on its way to it.
    const stale = outgoing.reusedSocket && !request.body && isIdempotent(request.method);
    handler.onFailure({ unsent: !connected || stale, error });
  });
  return {
    abort() {
      settled = true;
      outgoing.destroy();
    },
  };

  function begin(): void {
    connected = true;
    const { body } = request;
    if (!body) {
      outgoing.end();
      return;
    }
    body.on('data', (chunk: Buffer) => {
      if (!outgoing.write(chunk)) body.pause();
    });
    outgoing.on('drain', () => body.resume());
    body.on('end', () => {
      const trailers = request.trailers?.() ?? [];
      if (trailers.length > 0 && headerValue(request.headers, 'trailer') !== undefined)
        outgoing.addTrailers(pairs(trailers));
      outgoing.end();
    });
    body.on('error', () => outgoing.destroy());
    body.resume();
    // What the client goes on sending after an early answer is of no use to anybody.
    outgoing.on('close', () => body.resume());
  }
}

/** How long the body is must be said for every method, or what follows it would be taken for a request. */
function framed(method: string, headers: HeaderList, hasBody: boolean): string[] {
  const list = [...headers];
  if (headerValue(headers, 'content-length') !== undefined) return list;
  if (hasBody) list.push('transfer-encoding', 'chunked');
  else if (/^P(?:OST|UT|ATCH)$/.test(method)) list.push('content-length', '0');
  return list;
}

function pairs(list: HeaderList): [string, string][] {
  const found: [string, string][] = [];
  for (let at = 0; at < list.length; at += 2) found.push([list[at] ?? '', list[at + 1] ?? '']);
  return found;
}
