import { ServerResponse, request as requestHttp, type ClientRequest } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Duplex } from 'node:stream';
import { http1Exchange, type FrontExchange, type UpgradeRequest } from './front-exchange.ts';
import { endToEnd, type HeaderList } from './header-list.ts';
import type { Upstream, UpstreamEndpoint } from './proxy-configuration.ts';
import { connectTimeoutMs } from './upstream-exchange.ts';

export interface UpgradeOptions {
  /** Takes the answer when the endpoint does not switch. */
  readonly exchange: FrontExchange;
  readonly upstream: Upstream;
  readonly path: string;
  /** Without fields of the connection. */
  readonly headers: HeaderList;
  /** How long the answer may take; 0: for ever. */
  readonly timeoutMs: number;
  /** Last changes of the answer's fields. */
  finishHeaders(headers: HeaderList): HeaderList;
  pick(tried: readonly UpstreamEndpoint[]): UpstreamEndpoint | undefined;
  onAttempt(endpoint: UpstreamEndpoint): void;
  /** Hears of the answer's status. */
  onStatus(status: number): void;
  refuse(status: 502 | 503 | 504, reason: string): void;
}

const statusTexts: Readonly<Record<number, string>> = { 101: 'Switching Protocols' };

/** The exchange over which an answer goes that is no switch of protocols. */
export function upgradeExchange({ request, socket }: UpgradeRequest): FrontExchange {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(request.socket);
  response.once('finish', () => socket.end());
  return http1Exchange(request, response);
}

/** Asks an endpoint to switch protocols (RFC 9110, 7.8) and, when it does, joins the two connections. */
export function forwardUpgrade(upgrade: UpgradeRequest, options: UpgradeOptions): void {
  const { request, socket, head } = upgrade;
  const tried: UpstreamEndpoint[] = [];
  let outgoing: ClientRequest | undefined;
  let timedOut = false;
  const { timeoutMs } = options;
  const timer = timeoutMs > 0 ? setTimeout(timeOut, timeoutMs).unref() : undefined;
  socket.on('error', () => {});
  socket.on('close', () => clearTimeout(timer));
  socket.on('close', () => outgoing?.destroy());
  attempt();

  function timeOut(): void {
    timedOut = true;
    outgoing?.destroy();
    options.refuse(504, 'the request took too long');
  }

  function attempt(): void {
    const endpoint = options.pick(tried);
    if (!endpoint) {
      if (tried.length === 0) options.refuse(503, 'the service has no endpoints');
      else options.refuse(502, 'no endpoint accepts connections');
      return;
    }
    tried.push(endpoint);
    options.onAttempt(endpoint);
    outgoing = open(endpoint);
  }

  function open({ ip, port }: UpstreamEndpoint): ClientRequest {
    const parts = {
      host: ip,
      port,
      method: request.method ?? 'GET',
      path: options.path,
      setHost: false,
      agent: false,
      headers: [
        ...options.headers,
        'connection',
        'Upgrade',
        'upgrade',
        request.headers.upgrade ?? '',
      ] as string[] & HeaderList,
    };
    const asked =
      options.upstream.protocol === 'https'
        ? requestHttps({ ...parts, rejectUnauthorized: options.upstream.tls !== undefined })
        : requestHttp(parts);
    let connected = false;
    asked.on('socket', (connection) => {
      const timer = setTimeout(() => asked.destroy(new Error('connect timed out')), connectTimeoutMs);
      connection.once('close', () => clearTimeout(timer));
      connection.once('connect', () => {
        connected = true;
        clearTimeout(timer);
      });
    });
    asked.on('error', (error) => {
      if (socket.destroyed || timedOut) return;
      if (!connected) attempt();
      else options.refuse(502, error.message);
    });
    asked.on('upgrade', (response, connection, first) => {
      clearTimeout(timer);
      const status = response.statusCode ?? 101;
      const fields = options.finishHeaders(response.rawHeaders);
      options.onStatus(status);
      socket.write(`HTTP/1.1 ${status} ${response.statusMessage ?? statusTexts[status] ?? ''}\r\n`);
      for (let at = 0; at < fields.length; at += 2) socket.write(`${fields[at]}: ${fields[at + 1]}\r\n`);
      socket.write('\r\n');
      if (first.length > 0) socket.write(first);
      if (head.length > 0) connection.write(head);
      join(socket, connection);
    });
    asked.on('response', (response) => {
      clearTimeout(timer);
      const answer = options.exchange;
      options.onStatus(response.statusCode ?? 502);
      answer.respond(response.statusCode ?? 502, options.finishHeaders(endToEnd(response.rawHeaders)));
      response.on('error', () => answer.abort());
      response.pipe(answer.out);
    });
    asked.end();
    return asked;
  }
}

/** Each side ends or breaks when the other does; what one has said reaches the other before. */
function join(one: Duplex, other: Duplex): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on('error', () => to.destroy());
    from.on('close', () => {
      if (!from.readableEnded || to.writableFinished) to.destroy();
      else to.once('finish', () => to.destroy());
    });
    from.pipe(to);
  }
}
