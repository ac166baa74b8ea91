import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import https from 'node:https';
import type { Duplex, Readable } from 'node:stream';
import { proxiedLink, rewriteLinks } from './proxied-links.ts';
import { acceptWebSocket, byteProtocol, sendBytes, type UpgradeConnection } from './web-socket.ts';

/** Where a node's kubelet endpoint listens, or another server. */
export interface NodeEndpoint {
  /** Of a pod or service: no certificate is shown and none is checked, as upstream's proxy does. Absent: a kubelet's. */
  readonly scheme?: 'http' | 'https';
  readonly host: string;
  readonly port: number;
}

export interface NodeTunnelOptions {
  /** With which the API server shows itself to kubelets, PEM. */
  readonly credentials?: { readonly cert: string; readonly key: string; readonly ca: string };
}

/** What to ask a node: the path and query of its kubelet endpoint. */
export interface TunnelTarget {
  readonly endpoint: NodeEndpoint;
  readonly path: string;
  readonly query: URLSearchParams;
  /** For servers other than kubelets: how to connect, and what to tell them instead of the client's own headers. */
  readonly via?: TunnelVia;
  /** The path of this server under which the other one is seen; links of its pages and redirections are put below it. */
  readonly seenAt?: string;
}

/** A connection of its own kind. */
export interface TunnelVia {
  readonly agent: https.Agent;
  readonly headers: Readonly<Record<string, string | string[]>>;
  /** Headers of the client that are kept back. */
  hides(name: string): boolean;
}

/** Why a node could not be asked; becomes upstream's `error dialing backend` answer. */
export class TunnelError extends Error {
  override readonly name = 'TunnelError';

  /** The node's certificate is not good. */
  get isUntrusted(): boolean {
    const { code } = (this.cause ?? {}) as NodeJS.ErrnoException;
    return /CERT|SIGNATURE|ISSUER/.test(code ?? '');
  }
}

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

/** Headers that belong to one hop (RFC 9110, 7.6.1) or to the client's own authentication. */
const notForwarded = new Set([
  'authorization',
  'connection',
  'host',
  'keep-alive',
  'proxy-authorization',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);
/** A node that accepts a connection and then says nothing about the request. */
const answerTimeoutMs = 30_000;

/**
 * Carries requests for `log`, `exec`, `attach` and `portforward` to the node that serves them, byte by byte: what is spoken on
 * an upgraded connection (SPDY, WebSocket) is between the client and the node.
 */
export class NodeTunnel {
  readonly #agent: https.Agent;
  /** To pods and services. */
  readonly #backends = {
    http: new http.Agent({ keepAlive: true, maxFreeSockets: 8 }),
    https: new https.Agent({ keepAlive: true, maxFreeSockets: 8, rejectUnauthorized: false }),
  };

  constructor(options: NodeTunnelOptions) {
    // A kubelet's certificate names its node; the address it is reached at need not be in it, the authority must be.
    this.#agent = new https.Agent({
      ...options.credentials,
      keepAlive: true,
      maxFreeSockets: 8,
      checkServerIdentity: () => undefined,
    });
  }

  /** A request without upgrade: relays status, headers and body. Throws {@link TunnelError} when the node cannot be asked. */
  async relay(request: Request, response: Response, target: TunnelTarget): Promise<void> {
    const { promise, outgoing } = this.#send(request, target, {});
    response.on('close', () => outgoing.destroy());
    if (carriesBody(target)) request.pipe(outgoing);
    else outgoing.end();
    const answer = await promise;
    if (answer.upgraded) {
      answer.socket.destroy();
      throw new TunnelError('the node switched protocols without being asked');
    }
    const { message } = answer;
    const headers = Object.fromEntries(
      Object.entries(message.headers).filter(([name]) => !notForwarded.has(name)),
    );
    const body = seenFromOutside(message, headers, target);
    response.writeHead(message.statusCode ?? 502, headers);
    if ('flushHeaders' in response) response.flushHeaders();
    await new Promise<void>((done) => {
      message.on('error', () => response.destroy());
      response.on('close', done);
      body.on('error', () => response.destroy());
      body.pipe(response);
    });
  }

  /**
   * An upgrade: hands the client's socket through once the node has agreed; a refusal is relayed as the plain answer it is.
   * Resolves when the connection has been joined. Throws {@link TunnelError} when the node cannot be asked.
   */
  async upgrade(
    request: IncomingMessage,
    socket: Duplex,
    options: { readonly head: Buffer; readonly target: TunnelTarget },
  ): Promise<void> {
    const { promise, outgoing } = this.#send(request, options.target, {
      connection: 'Upgrade',
      upgrade: request.headers.upgrade ?? '',
    });
    socket.on('error', () => outgoing.destroy());
    outgoing.end();
    const answer = await promise;
    if (!answer.upgraded) {
      answerPlainly(socket, answer.message);
      return;
    }
    const node = answer.socket;
    socket.write(`${statusLine(answer.message)}${headerLines(answer.message, '')}\r\n`);
    if (answer.head.length > 0) socket.write(answer.head);
    if (options.head.length > 0) node.write(options.head);
    for (const side of [socket, node])
      if ('setNoDelay' in side && typeof side.setNoDelay === 'function') side.setNoDelay(true);
    join(socket, node);
    join(node, socket);
  }

  /**
   * What a node answers without an upgrade, to a client that asks for it over WebSocket: its bytes become messages; a refusal is
   * relayed as the plain answer it is. Throws {@link TunnelError} and `StatusError`.
   */
  async relayAsMessages(connection: UpgradeConnection, target: TunnelTarget): Promise<void> {
    const { request, socket } = connection;
    const protocol = byteProtocol(request);
    const { promise, outgoing } = this.#send(request, target, {});
    socket.on('close', () => outgoing.destroy());
    outgoing.end();
    const answer = await promise;
    if (answer.upgraded) {
      answer.socket.destroy();
      throw new TunnelError('the node switched protocols without being asked');
    }
    const { message } = answer;
    if (message.statusCode === 200) await sendBytes(await acceptWebSocket(connection, protocol), message);
    else answerPlainly(socket, message);
  }

  close(): void {
    this.#agent.destroy();
    this.#backends.http.destroy();
    this.#backends.https.destroy();
  }

  #send(
    request: Request,
    target: TunnelTarget,
    hop: Record<string, string>,
  ): { promise: Promise<NodeAnswer>; outgoing: ReturnType<typeof https.request> } {
    const { via } = target;
    const { scheme } = target.endpoint;
    const headers: Record<string, string | string[]> = { ...hop };
    for (const [name, value] of Object.entries(request.headers)) {
      if (
        value !== undefined &&
        !name.startsWith(':') &&
        !notForwarded.has(name) &&
        (carriesBody(target) || name !== 'content-length') &&
        !via?.hides(name)
      )
        headers[name] = value;
    }
    Object.assign(headers, via?.headers);
    const query = target.query.toString();
    const { request: send } = scheme === 'http' ? http : https;
    const outgoing = send({
      agent: via?.agent ?? (scheme ? this.#backends[scheme] : this.#agent),
      host: target.endpoint.host,
      port: target.endpoint.port,
      method: request.method ?? 'GET',
      path: query ? `${target.path}?${query}` : target.path,
      headers,
    });
    const promise = new Promise<NodeAnswer>((resolve, reject) => {
      const { host, port } = target.endpoint;
      const fail = (message: string, cause?: Error): void =>
        reject(new TunnelError(`dial tcp ${host}:${port}: ${message}`, { cause }));
      outgoing.setTimeout(answerTimeoutMs, () => {
        fail('no answer');
        outgoing.destroy();
      });
      outgoing.on('error', (error) => fail(error.message, error));
      outgoing.on('response', (message) => {
        outgoing.setTimeout(0);
        resolve({ upgraded: false, message });
      });
      outgoing.on('upgrade', (message, socket, head) => {
        outgoing.setTimeout(0);
        resolve({ upgraded: true, message, socket, head });
      });
    });
    return { promise, outgoing };
  }
}

/** The body of an answer that is seen below a path of this server; changes the headers that say where things are. */
function seenFromOutside(
  message: IncomingMessage,
  headers: NodeJS.Dict<string | string[]>,
  { seenAt, endpoint }: TunnelTarget,
): Readable {
  if (seenAt === undefined) return message;
  const at = { prefix: seenAt, host: `${endpoint.host}:${endpoint.port}` };
  const { location } = message.headers;
  if (location !== undefined) headers['location'] = proxiedLink(location, at);
  if (!message.headers['content-type']?.startsWith('text/html')) return message;
  const rewritten = rewriteLinks(message, message.headers['content-encoding'], at);
  if (rewritten) delete headers['content-length'];
  return rewritten ?? message;
}

/** What kubelets are asked for here has no body. */
function carriesBody({ via, endpoint }: TunnelTarget): boolean {
  return via !== undefined || endpoint.scheme !== undefined;
}

type NodeAnswer =
  | { readonly upgraded: false; readonly message: IncomingMessage }
  | {
      readonly upgraded: true;
      readonly message: IncomingMessage;
      readonly socket: Duplex;
      readonly head: Buffer;
    };

function answerPlainly(socket: Duplex, message: IncomingMessage): void {
  socket.write(`${statusLine(message)}${headerLines(message, 'Connection: close\r\n')}\r\n`);
  message.pipe(socket);
}

function statusLine(message: IncomingMessage): string {
  return `HTTP/1.1 ${message.statusCode} ${message.statusMessage}\r\n`;
}

function headerLines(message: IncomingMessage, extra: string): string {
  let lines = extra;
  for (let at = 0; at + 1 < message.rawHeaders.length; at += 2) {
    const name = message.rawHeaders[at] ?? '';
    if (extra && ['connection', 'transfer-encoding'].includes(name.toLowerCase())) continue;
    lines += `${name}: ${message.rawHeaders[at + 1]}\r\n`;
  }
  return lines;
}

/** Pipes one way with back-pressure; an end is passed on, an error or a sudden close ends both. */
function join(from: Duplex, to: Duplex): void {
  from.pipe(to);
  from.on('error', () => to.destroy());
  from.on('close', () => {
    if (!from.readableEnded) to.destroy();
  });
}
