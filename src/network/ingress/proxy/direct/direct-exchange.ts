import type { Socket } from 'node:net';
import type { Clock, Timer } from '../../../../base/clock.ts';
import type { Account, Accounts } from '../account-requests.ts';
import { changeHeaders, isSound } from '../header-list.ts';
import type { UpstreamEndpoint } from '../proxy-configuration.ts';
import { isIdempotent } from '../upstream-exchange.ts';
import type { UpstreamPool } from '../upstream-pool.ts';
import { createChunkScanner, type ChunkScanner } from './chunk-scanner.ts';
import type { EndpointConnection, EndpointConnections, EndpointUser } from './endpoint-connections.ts';
import type { FieldMeaning } from './field-meaning.ts';
import { fieldList, fieldText, type DirectPlan } from './plan-direct-request.ts';
import type { RequestHead } from './read-request-head.ts';
import { readResponseHead, type ResponseHead } from './read-response-head.ts';

export interface ExchangeSurroundings {
  readonly clock: Clock;
  readonly accounts: Accounts;
  readonly pool: UpstreamPool;
  readonly connections: EndpointConnections;
  meaningOf(name: string): FieldMeaning;
  /** The value of a `Date` field, for now. */
  dateNow(): string;
}

export interface DirectExchangeOptions {
  readonly client: Socket;
  readonly account: Account;
  readonly request: RequestHead;
  readonly plan: DirectPlan;
  readonly surroundings: ExchangeSurroundings;
  /** Whether the client's connection is to end after this. */
  wantsClose(): boolean;
  /** Once. `close`: the client's connection cannot be used again. */
  onEnd(how: 'keep' | 'close'): void;
}

/** One request and its answer. */
export interface DirectExchange {
  /** With as much of the body as is there. */
  begin(part: Buffer, more: 'more' | 'last'): void;
  /** The next part of the request's body. */
  body(part: Buffer, more: 'more' | 'last'): void;
  /** The client takes bytes again. */
  drained(): void;
  /** The client is gone. */
  abort(): void;
}

const maxAttempts = 4;
const maxHead = 64 * 1024;
const smallBody = 8 * 1024;
/** Bytes that may wait for a slow reader. */
const maxWaiting = 128 * 1024;
const headEnd = Buffer.from('\r\n\r\n');

/** Hands a request to an endpoint and its answer back. Another endpoint is asked when one has received nothing. */
export function createDirectExchange(options: DirectExchangeOptions): DirectExchange {
  const { account, client, plan, request, surroundings } = options;
  const { accounts, clock, connections, meaningOf, pool } = surroundings;
  const tried: UpstreamEndpoint[] = [];
  let attempts = 0;
  let connection: EndpointConnection | undefined;
  /** Parts of the request's body that wait for a connection. */
  let parts: Buffer[] = [];
  let bodySent = false;
  let bodyOver = false;
  let seen: Buffer | undefined;
  let head: ResponseHead | undefined;
  let left = 0;
  let chunks: ChunkScanner | undefined;
  let closes = false;
  let over = false;
  let requestTimer: Timer | undefined;
  let attemptTimer: Timer | undefined;

  const user: EndpointUser = { onConnect: sendBody, onData, onEnd: onUpstreamEnd, onDrain: onUpstreamDrain };

  function settle(how: 'keep' | 'close'): void {
    over = true;
    requestTimer?.cancel();
    attemptTimer?.cancel();
    options.onEnd(how);
  }

  function refuse(status: number, reason: string): void {
    accounts.refuse(account, status, reason);
    const close = options.wantsClose() || !bodyOver;
    const body = request.method === 'HEAD' ? '' : `${status} ${reason}\n`;
    client.write(
      `HTTP/1.1 ${status} ${phrases[status] ?? 'Error'}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(`${status} ${reason}\n`)}\r\n${dateLine()}${close ? 'connection: close\r\n' : ''}\r\n${body}`,
    );
    settle(close ? 'close' : 'keep');
  }

  function dateLine(): string {
    return `date: ${surroundings.dateNow()}\r\n`;
  }

  /** Breaks the answer off where the client can see it. */
  function breakOff(): void {
    drop();
    client.destroy();
    if (!over) settle('close');
  }

  function drop(): void {
    const dropped = connection;
    connection = undefined;
    dropped?.destroy();
  }

  function timeOut(what: string): void {
    if (over) return;
    drop();
    if (head) breakOff();
    else refuse(504, `${what} took too long`);
  }

  function attempt(how: 'any' | 'fresh'): void {
    if ('status' in plan) return;
    const { upstream, route } = plan;
    const endpoint = how === 'fresh' ? tried.at(-1) : pool.pick(pool.get(upstream.name) ?? upstream, tried);
    if (!endpoint) {
      refuse(503, 'the service has no endpoints');
      return;
    }
    attempts += 1;
    if (how === 'any') tried.push(endpoint);
    accounts.attempt(account, endpoint);
    attemptTimer?.cancel();
    if (route.backendTimeoutMs)
      attemptTimer = clock.after(route.backendTimeoutMs, () => timeOut('the backend'));
    seen = undefined;
    connection = connections.take(endpoint, user, how);
    connection.socket.write(plan.head, 'latin1');
    if (connection.connected) sendBody();
  }

  function sendBody(): void {
    if (!connection || parts.length === 0) return;
    bodySent = true;
    for (const part of parts) connection.socket.write(part);
    parts = [];
    if (connection.socket.writableLength > maxWaiting) client.pause();
    else if (client.isPaused()) client.resume();
  }

  function onUpstreamDrain(): void {
    if (!bodyOver && client.isPaused()) client.resume();
  }

  function onData(bytes: Buffer): void {
    if (head) return relay(bytes);
    seen = seen ? Buffer.concat([seen, bytes]) : bytes;
    for (;;) {
      const end = seen.indexOf(headEnd);
      if (end < 0 ? seen.length > maxHead : end > maxHead) return fail('the head of the answer is too long');
      if (end < 0) return;
      const read = readResponseHead(seen.toString('latin1', 0, end + 4), request.method, meaningOf);
      if (!read || read.status === 101) return fail('the answer is not of HTTP/1.1');
      seen = seen.subarray(end + 4);
      if (read.status < 200) continue;
      return answer(read, seen);
    }
  }

  function fail(reason: string): void {
    drop();
    refuse(502, reason);
  }

  function answer(read: ResponseHead, rest: Buffer): void {
    seen = undefined;
    let { fields } = read;
    if ('responseHeaders' in plan && plan.responseHeaders.length > 0) {
      let list: readonly string[] = fieldList(fields);
      for (const change of plan.responseHeaders) list = changeHeaders(list, change);
      if (!isSound(list)) return fail('a filter of the route puts into the answer what is no field');
      fields = fieldText(list);
    }
    head = read;
    account.status = read.status;
    closes = options.wantsClose();
    const coded = read.body === 'chunked' || read.body === 'close';
    const text = `HTTP/1.1 ${read.status} ${read.reason}\r\n${fields}${read.hasDate ? '' : dateLine()}${coded ? 'transfer-encoding: chunked\r\n' : ''}${closes ? 'connection: close\r\n' : ''}\r\n`;
    if (read.body === 'chunked') chunks = createChunkScanner();
    left = read.body === 'length' ? read.length : 0;
    if (read.body === 'none' || (read.body === 'length' && left === 0)) {
      client.write(text, 'latin1');
      finish(rest.length === 0);
      return;
    }
    if (read.body === 'length' && rest.length === left && left <= smallBody) {
      account.bytes = left;
      client.write(text + rest.toString('latin1'), 'latin1');
      finish(true);
      return;
    }
    client.cork();
    client.write(text, 'latin1');
    if (rest.length > 0) relay(rest);
    client.uncork();
  }

  function relay(bytes: Buffer): void {
    if (chunks) {
      const { end, state } = chunks.scan(bytes);
      account.bytes = chunks.payload;
      if (state === 'malformed') return breakOff();
      client.write(end === bytes.length ? bytes : bytes.subarray(0, end));
      if (state === 'done') return finish(end === bytes.length);
    } else if (head?.body === 'close') {
      account.bytes += bytes.length;
      client.write(`${bytes.length.toString(16)}\r\n`, 'latin1');
      client.write(bytes);
      client.write('\r\n', 'latin1');
    } else {
      const part = bytes.length > left ? bytes.subarray(0, left) : bytes;
      left -= part.length;
      account.bytes += part.length;
      client.write(part);
      if (left === 0) return finish(part.length === bytes.length);
    }
    if (client.writableLength > maxWaiting) connection?.socket.pause();
  }

  /** `clean`: the endpoint has sent nothing behind its answer. */
  function finish(clean: boolean): void {
    const used = connection;
    connection = undefined;
    if (used && clean && bodyOver && parts.length === 0 && head?.reusable) {
      if (used.socket.isPaused()) used.socket.resume();
      used.release();
    } else used?.destroy();
    settle(closes ? 'close' : 'keep');
  }

  function onUpstreamEnd(error: Error | undefined): void {
    const lost = connection;
    connection = undefined;
    if (over) return;
    if (head) {
      if (head.body !== 'close' || error) return breakOff();
      client.write('0\r\n\r\n', 'latin1');
      head = { ...head, reusable: false };
      settle(closes ? 'close' : 'keep');
      return;
    }
    const untouched = lost !== undefined && !lost.connected;
    // An endpoint may close an idle connection while a request is on its way to it.
    const stale =
      lost?.reused === true && !seen && !bodySent && request.length === 0 && isIdempotent(request.method);
    if (attempts < maxAttempts && !('status' in plan)) {
      if (stale) return attempt('fresh');
      const { endpoints } = pool.get(plan.upstream.name) ?? plan.upstream;
      if (untouched && endpoints.some((one) => !tried.includes(one))) return attempt('any');
    }
    const late = error && 'code' in error && error.code === 'ETIMEDOUT';
    refuse(late ? 504 : 502, error?.message ?? 'the endpoint closed the connection without an answer');
  }

  function take(part: Buffer, more: 'more' | 'last'): void {
    if (more === 'last') bodyOver = true;
    if (part.length === 0 || over) return;
    parts.push(part);
    if (connection?.connected) sendBody();
    else client.pause();
  }

  return {
    begin(part, more) {
      take(part, more);
      if ('status' in plan) {
        refuse(plan.status, plan.reason);
        return;
      }
      const { requestTimeoutMs } = plan.route;
      if (requestTimeoutMs) requestTimer = clock.after(requestTimeoutMs, () => timeOut('the request'));
      attempt('any');
    },
    body: take,
    drained() {
      if (connection?.socket.isPaused()) connection.socket.resume();
    },
    abort() {
      if (over) return;
      drop();
      settle('close');
    },
  };
}

const phrases: Readonly<Record<number, string>> = {
  404: 'Not Found',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};
