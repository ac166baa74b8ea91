import type { Socket } from 'node:net';
import type { Accounts } from '../account-requests.ts';
import type { ServedListener } from '../serve-requests.ts';
import { DirectExchange, type ExchangeSurroundings } from './direct-exchange.ts';
import type { FieldMeaning } from './field-meaning.ts';
import { planDirectRequest, type DirectSurroundings } from './plan-direct-request.ts';
import { readRequestHead, type RequestHead } from './read-request-head.ts';

export interface DirectConnectionOptions {
  readonly socket: Socket;
  /** The client's address. */
  readonly client: string;
  readonly listener: ServedListener;
  readonly surroundings: DirectSurroundings & ExchangeSurroundings & { readonly accounts: Accounts };
  meaningOf(name: string): FieldMeaning;
  /** Takes the connection over before a request that is not for here, which begins with these bytes. */
  handOver(bytes: Buffer): void;
}

/** A client's connection whose requests are handed on as they come. */
export interface DirectConnection {
  /** The first bytes. */
  begin(bytes: Buffer): void;
  /** Ends it once nothing is under way. */
  close(): void;
  /** Closes it when it has been idle, or a request has been arriving, since before. */
  expire(before: { readonly idle: number; readonly head: number }): void;
}

const maxHead = 16 * 1024;
const maxAhead = 64 * 1024;
const headEnd = Buffer.from('\r\n\r\n');
const none = Buffer.alloc(0);

/**
 * Serves HTTP/1.1 requests of the plain kind straight from socket to socket. At the first request that is of another kind the
 * whole connection is handed over, so that what is unusual, odd or hostile is judged by Node.js' own parser.
 */
export function createDirectConnection(options: DirectConnectionOptions): DirectConnection {
  const { client, listener, meaningOf, socket, surroundings } = options;
  const { accounts, clock } = surroundings;
  /** Bytes that belong to no request yet. */
  let waiting: Buffer = none;
  let keepAlive = true;
  /** The proxy answers itself. */
  let own = false;
  const exchange = new DirectExchange({ socket, wantsClose, exchanged }, surroundings);
  let bodyLeft = 0;
  let closing = false;
  let ending = false;
  let since = clock.monotonic();

  socket.on('data', read);
  socket.on('drain', drained);
  socket.on('end', ended);
  socket.on('close', gone);

  function detach(): void {
    socket.off('data', read);
    socket.off('drain', drained);
    socket.off('end', ended);
    socket.off('close', gone);
  }

  function drained(): void {
    exchange.drained();
  }

  function ended(): void {
    socket.destroy();
  }

  function gone(): void {
    exchange.abort();
  }

  function read(bytes: Buffer): void {
    if (ending) return;
    let rest = bytes;
    if (bodyLeft > 0) {
      const part = rest.length > bodyLeft ? rest.subarray(0, bodyLeft) : rest;
      rest = rest.subarray(part.length);
      bodyLeft -= part.length;
      exchange.body(part, bodyLeft === 0 ? 'last' : 'more');
      if (bodyLeft === 0 && exchange.isOver) since = clock.monotonic();
    }
    if (rest.length === 0) return;
    if (waiting.length === 0) since = clock.monotonic();
    waiting = waiting.length === 0 ? rest : Buffer.concat([waiting, rest]);
    if (!exchange.isOver) {
      if (waiting.length > maxAhead) socket.pause();
    } else next();
  }

  /** Begins the requests that are there, one at a time. */
  function next(): void {
    for (;;) {
      if (!exchange.isOver || ending || bodyLeft > 0 || waiting.length === 0) return;
      const end = waiting.indexOf(headEnd);
      if (end < 0 ? waiting.length > maxHead : end > maxHead) return handOver();
      if (end < 0) return;
      const head = readRequestHead(waiting.toString('latin1', 0, end + 4), meaningOf);
      if (!head || !serve(head, end + 4)) return handOver();
    }
  }

  /** False when it is not for here. */
  function serve(head: RequestHead, length: number): boolean {
    const { scheme, port, table } = listener;
    const noted = { route: undefined, upstream: undefined };
    const plan = planDirectRequest(head, { table, scheme, port, client }, noted, surroundings);
    if (!plan) return false;
    const account = accounts.begin({
      client,
      protocol: 'HTTP/1.1',
      scheme,
      method: head.method,
      host: head.authority,
      target: head.target,
      userAgent: head.userAgent,
    });
    account.route = noted.route;
    account.upstream = noted.upstream;
    const rest = waiting.length - length;
    const body = Math.min(rest, head.length);
    bodyLeft = head.length - body;
    const part = waiting.subarray(length, length + body);
    waiting = rest > body ? waiting.subarray(length + body) : none;
    keepAlive = head.keepAlive;
    own = 'status' in plan;
    exchange.begin({ request: head, plan, account }, part, bodyLeft === 0 ? 'last' : 'more');
    return true;
  }

  function wantsClose(): boolean {
    return closing || !keepAlive || (own && bodyLeft > 0);
  }

  function exchanged(how: 'keep' | 'close'): void {
    if (how === 'close') finish();
    else {
      since = clock.monotonic();
      if (socket.isPaused()) socket.resume();
      // Not from within the exchange that has just ended.
      if (waiting.length > 0) queueMicrotask(next);
    }
  }

  function handOver(): void {
    detach();
    options.handOver(waiting);
    waiting = none;
  }

  /** Says that no more answers come; what the client still sends is read and dropped, or it might lose the last one. */
  function finish(): void {
    ending = true;
    since = clock.monotonic();
    waiting = none;
    socket.end();
    socket.resume();
  }

  return {
    begin: read,
    close() {
      closing = true;
      if (exchange.isOver && waiting.length === 0 && bodyLeft === 0) finish();
    },
    expire({ idle, head }) {
      if (!exchange.isOver) return;
      if (ending || waiting.length > 0 || bodyLeft > 0 ? since < head : since < idle) socket.destroy();
    },
  };
}
