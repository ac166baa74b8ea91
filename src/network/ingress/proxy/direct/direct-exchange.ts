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

/** The client's side of exchanges. */
export interface ExchangeClient {
  readonly socket: Socket;
  /** Whether the client's connection is to end after this answer. */
  wantsClose(): boolean;
  /** The exchange is over. `close`: the client's connection cannot be used again. */
  exchanged(how: 'keep' | 'close'): void;
}

const maxAttempts = 4;
const maxHead = 64 * 1024;
const smallBody = 8 * 1024;
/** Bytes that may wait for a slow reader. */
const maxWaiting = 128 * 1024;
const headEnd = Buffer.from('\r\n\r\n');

/**
 * The requests of one client's connection and their answers, one at a time: hands a request to an endpoint and its answer
 * back. Another endpoint is asked when one has received nothing. What `begin` set lasts until `exchanged` is called.
 */
export class DirectExchange implements EndpointUser {
  readonly #client: ExchangeClient;
  readonly #surroundings: ExchangeSurroundings;
  #request: RequestHead | undefined;
  #plan: DirectPlan | undefined;
  #account: Account | undefined;
  #tried: UpstreamEndpoint[] = [];
  #attempts = 0;
  #connection: EndpointConnection | undefined;
  /** Parts of the request's body that wait for a connection. */
  #parts: Buffer[] = [];
  #bodySent = false;
  #bodyOver = false;
  #seen: Buffer | undefined;
  #head: ResponseHead | undefined;
  #left = 0;
  #chunks: ChunkScanner | undefined;
  #closes = false;
  #requestTimer: Timer | undefined;
  #attemptTimer: Timer | undefined;

  constructor(client: ExchangeClient, surroundings: ExchangeSurroundings) {
    this.#client = client;
    this.#surroundings = surroundings;
  }

  get isOver(): boolean {
    return this.#account === undefined;
  }

  /** Begins the next, with as much of its body as is there. */
  begin(
    {
      request,
      plan,
      account,
    }: { readonly request: RequestHead; readonly plan: DirectPlan; readonly account: Account },
    part: Buffer,
    more: 'more' | 'last',
  ): void {
    this.#request = request;
    this.#plan = plan;
    this.#account = account;
    this.#attempts = 0;
    this.#bodySent = false;
    this.#bodyOver = false;
    this.#seen = undefined;
    this.#head = undefined;
    this.#left = 0;
    this.#chunks = undefined;
    this.#closes = false;
    this.body(part, more);
    if ('status' in plan) {
      this.#refuse(plan.status, plan.reason);
      return;
    }
    const { requestTimeoutMs } = plan.route;
    if (requestTimeoutMs)
      this.#requestTimer = this.#surroundings.clock.after(requestTimeoutMs, () =>
        this.#timeOut('the request'),
      );
    this.#attempt('any');
  }

  /** The next part of the request's body. */
  body(part: Buffer, more: 'more' | 'last'): void {
    if (more === 'last') this.#bodyOver = true;
    if (part.length === 0 || this.isOver) return;
    this.#parts.push(part);
    if (this.#connection?.connected) this.onConnect();
    else this.#client.socket.pause();
  }

  /** The client takes bytes again. */
  drained(): void {
    if (this.#connection?.socket.isPaused()) this.#connection.socket.resume();
  }

  /** The client is gone. */
  abort(): void {
    if (this.isOver) return;
    this.#drop();
    this.#settle('close');
  }

  #settle(how: 'keep' | 'close'): void {
    const account = this.#account;
    this.#requestTimer?.cancel();
    this.#attemptTimer?.cancel();
    this.#requestTimer = this.#attemptTimer = undefined;
    this.#account = undefined;
    if (this.#tried.length > 0) this.#tried = [];
    if (this.#parts.length > 0) this.#parts = [];
    if (account) this.#surroundings.accounts.end(account);
    this.#client.exchanged(how);
  }

  #refuse(status: number, reason: string): void {
    const { accounts, dateNow } = this.#surroundings;
    if (this.#account) accounts.refuse(this.#account, status, reason);
    const close = this.#client.wantsClose() || !this.#bodyOver;
    const text = `${status} ${reason}\n`;
    this.#client.socket.write(
      `HTTP/1.1 ${status} ${phrases[status] ?? 'Error'}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(text)}\r\ndate: ${dateNow()}\r\n${close ? 'connection: close\r\n' : ''}\r\n${this.#request?.method === 'HEAD' ? '' : text}`,
    );
    this.#settle(close ? 'close' : 'keep');
  }

  /** Breaks the answer off where the client can see it. */
  #breakOff(): void {
    this.#drop();
    this.#client.socket.destroy();
    if (!this.isOver) this.#settle('close');
  }

  #drop(): void {
    const dropped = this.#connection;
    this.#connection = undefined;
    dropped?.destroy();
  }

  #timeOut(what: string): void {
    if (this.isOver) return;
    this.#drop();
    if (this.#head) this.#breakOff();
    else this.#refuse(504, `${what} took too long`);
  }

  #attempt(how: 'any' | 'fresh'): void {
    const plan = this.#plan;
    if (!plan || 'status' in plan || !this.#account) return;
    const { accounts, clock, connections, pool } = this.#surroundings;
    const { upstream, route } = plan;
    const tried = this.#tried;
    const endpoint = how === 'fresh' ? tried.at(-1) : pool.pick(pool.get(upstream.name) ?? upstream, tried);
    if (!endpoint) {
      this.#refuse(503, 'the service has no endpoints');
      return;
    }
    this.#attempts += 1;
    if (how === 'any') tried.push(endpoint);
    accounts.attempt(this.#account, endpoint);
    if (route.backendTimeoutMs) {
      this.#attemptTimer?.cancel();
      this.#attemptTimer = clock.after(route.backendTimeoutMs, () => this.#timeOut('the backend'));
    }
    this.#seen = undefined;
    const connection = connections.take(endpoint, this, how);
    this.#connection = connection;
    connection.socket.write(plan.head, 'latin1');
    if (connection.connected) this.onConnect();
  }

  onConnect(): void {
    if (!this.#connection || this.#parts.length === 0) return;
    const { socket } = this.#connection;
    this.#bodySent = true;
    for (const part of this.#parts) socket.write(part);
    this.#parts = [];
    const client = this.#client.socket;
    if (socket.writableLength > maxWaiting) client.pause();
    else if (client.isPaused()) client.resume();
  }

  onDrain(): void {
    if (this.#client.socket.isPaused()) this.#client.socket.resume();
  }

  onData(bytes: Buffer): void {
    if (this.#head) {
      this.#relay(bytes);
      return;
    }
    const method = this.#request?.method ?? '';
    let seen = this.#seen ? Buffer.concat([this.#seen, bytes]) : bytes;
    for (;;) {
      const end = seen.indexOf(headEnd);
      if (end < 0 ? seen.length > maxHead : end > maxHead)
        return this.#fail('the head of the answer is too long');
      if (end < 0) {
        this.#seen = seen;
        return;
      }
      const read = readResponseHead(
        seen.toString('latin1', 0, end + 4),
        method,
        this.#surroundings.meaningOf,
      );
      if (!read || read.status === 101) return this.#fail('the answer is not of HTTP/1.1');
      seen = seen.subarray(end + 4);
      if (read.status < 200) continue;
      return this.#answer(read, seen);
    }
  }

  #fail(reason: string): void {
    this.#drop();
    this.#refuse(502, reason);
  }

  #answer(read: ResponseHead, rest: Buffer): void {
    const plan = this.#plan;
    const account = this.#account;
    if (!plan || 'status' in plan || !account) return;
    const client = this.#client.socket;
    let { fields } = read;
    if (plan.responseHeaders.length > 0) {
      let list: readonly string[] = fieldList(fields);
      for (const change of plan.responseHeaders) list = changeHeaders(list, change);
      if (!isSound(list)) return this.#fail('a filter of the route makes the answer invalid');
      fields = fieldText(list);
    }
    this.#head = read;
    account.status = read.status;
    this.#closes = this.#client.wantsClose();
    const coded = read.body === 'chunked' || read.body === 'close';
    const text = `HTTP/1.1 ${read.status} ${read.reason}\r\n${fields}${read.hasDate ? '' : `date: ${this.#surroundings.dateNow()}\r\n`}${coded ? 'transfer-encoding: chunked\r\n' : ''}${this.#closes ? 'connection: close\r\n' : ''}\r\n`;
    this.#left = read.body === 'length' ? read.length : 0;
    if (read.body === 'none' || (read.body === 'length' && this.#left === 0)) {
      client.write(text, 'latin1');
      this.#finish(rest.length === 0);
    } else if (read.body === 'length' && rest.length === this.#left && rest.length <= smallBody) {
      account.bytes = this.#left;
      client.write(text + rest.toString('latin1'), 'latin1');
      this.#finish(true);
    } else {
      if (read.body === 'chunked') this.#chunks = createChunkScanner();
      client.cork();
      client.write(text, 'latin1');
      if (rest.length > 0) this.#relay(rest);
      client.uncork();
    }
  }

  #relay(bytes: Buffer): void {
    const account = this.#account;
    const client = this.#client.socket;
    if (!account) return;
    if (this.#chunks) {
      const { end, state } = this.#chunks.scan(bytes);
      account.bytes = this.#chunks.payload;
      if (state === 'malformed') return this.#breakOff();
      client.write(end === bytes.length ? bytes : bytes.subarray(0, end));
      if (state === 'done') return this.#finish(end === bytes.length);
    } else if (this.#head?.body === 'close') {
      account.bytes += bytes.length;
      client.write(`${bytes.length.toString(16)}\r\n`, 'latin1');
      client.write(bytes);
      client.write('\r\n', 'latin1');
    } else {
      const part = bytes.length > this.#left ? bytes.subarray(0, this.#left) : bytes;
      this.#left -= part.length;
      account.bytes += part.length;
      client.write(part);
      if (this.#left === 0) return this.#finish(part.length === bytes.length);
    }
    if (client.writableLength > maxWaiting) this.#connection?.socket.pause();
  }

  /** `clean`: the endpoint has sent nothing behind its answer. */
  #finish(clean: boolean): void {
    const used = this.#connection;
    this.#connection = undefined;
    if (used && clean && this.#bodyOver && this.#parts.length === 0 && this.#head?.reusable) {
      if (used.socket.isPaused()) used.socket.resume();
      used.release();
    } else used?.destroy();
    this.#settle(this.#closes ? 'close' : 'keep');
  }

  onEnd(error: Error | undefined): void {
    const lost = this.#connection;
    const request = this.#request;
    const plan = this.#plan;
    this.#connection = undefined;
    if (this.isOver || !request || !plan) return;
    if (this.#head) {
      if (this.#head.body !== 'close' || error) return this.#breakOff();
      this.#client.socket.write('0\r\n\r\n', 'latin1');
      this.#settle(this.#closes ? 'close' : 'keep');
      return;
    }
    const untouched = lost !== undefined && !lost.connected;
    // An endpoint may close an idle connection while a request is on its way to it.
    const stale =
      lost?.reused === true &&
      !this.#seen &&
      !this.#bodySent &&
      request.length === 0 &&
      isIdempotent(request.method);
    if (this.#attempts < maxAttempts && !('status' in plan)) {
      if (stale) return this.#attempt('fresh');
      const { endpoints } = this.#surroundings.pool.get(plan.upstream.name) ?? plan.upstream;
      if (untouched && endpoints.some((one) => !this.#tried.includes(one))) return this.#attempt('any');
    }
    const late = error && 'code' in error && error.code === 'ETIMEDOUT';
    this.#refuse(late ? 504 : 502, error?.message ?? 'the endpoint closed the connection without an answer');
  }
}

const phrases: Readonly<Record<number, string>> = {
  404: 'Not Found',
  500: 'Internal Server Error',
  502: 'Bad Gateway',
  503: 'Service Unavailable',
  504: 'Gateway Timeout',
};
