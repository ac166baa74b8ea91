import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { Duplex, Readable, Writable } from 'node:stream';
import { headerList, headerObject, type HeaderList } from './header-list.ts';

/** A request of a client and the answer to it, alike for HTTP/1.1 and HTTP/2. */
export interface FrontExchange {
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2';
  readonly method: string;
  readonly target: string;
  /** `Host` or `:authority`; empty when there is none. */
  readonly authority: string;
  readonly headers: HeaderList;
  /** Absent: the request has no body. */
  readonly body?: Readable;
  /** Known when the body has ended. */
  trailers(): HeaderList;
  /** Begins the answer, once. `end`: nothing follows. */
  respond(status: number, headers: HeaderList, end?: 'end'): void;
  /** Takes the body of the answer after `respond`. */
  readonly out: Writable;
  /** Ends the body. */
  finish(trailers: HeaderList): void;
  readonly responded: boolean;
  /** Breaks off: the client sees that the answer is not complete. */
  abort(): void;
  /** Calls once when the exchange is over, whoever ended it. */
  onClose(listener: () => void): void;
}

/** Fields that HTTP/2 must not carry, beside those that no proxy hands on. */
const connectionFields = /^(?:connection|keep-alive|proxy-connection|transfer-encoding|upgrade)$/i;

/** A request over HTTP/1.x. */
export function http1Exchange(request: IncomingMessage, response: ServerResponse): FrontExchange {
  const { headers } = request;
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  return {
    protocol: request.httpVersionMinor === 0 ? 'HTTP/1.0' : 'HTTP/1.1',
    method: request.method ?? 'GET',
    target: request.url ?? '/',
    authority: headers.host ?? '',
    headers: request.rawHeaders,
    ...(hasBody && { body: request }),
    trailers: () => request.rawTrailers,
    respond(status, fields, end) {
      response.writeHead(status, [...fields]);
      if (end) response.end();
    },
    out: response,
    finish(trailers) {
      if (trailers.length > 0) response.addTrailers(pairs(trailers));
      response.end();
    },
    get responded() {
      return response.headersSent;
    },
    abort: () => void response.destroy(),
    onClose: (listener) => void response.once('close', listener),
  };
}

function pairs(list: HeaderList): [string, string][] {
  const found: [string, string][] = [];
  for (let at = 0; at < list.length; at += 2) found.push([list[at] ?? '', list[at + 1] ?? '']);
  return found;
}

/** A request over HTTP/2. */
export function http2Exchange(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): FrontExchange {
  let received: HeaderList = [];
  let pending: HeaderList = [];
  stream.on('trailers', (fields) => (received = headerList(fields)));
  stream.on('wantTrailers', () => stream.sendTrailers(headerObject(pending)));
  // What went wrong shows in the stream's end.
  stream.on('error', () => {});
  const pseudo = (name: string): string => String(headers[name] ?? '');
  const authority = pseudo(':authority') || (headers.host ?? '');
  return {
    protocol: 'HTTP/2',
    method: pseudo(':method'),
    target: pseudo(':path'),
    authority,
    headers: [...(headers.host === undefined ? ['host', authority] : []), ...headerList(headers)],
    ...(!stream.endAfterHeaders && { body: stream }),
    trailers: () => received,
    respond(status, fields, end) {
      if (stream.destroyed || stream.closed) return;
      const kept = fields.filter((_, at) => !connectionFields.test(fields[at - (at % 2)] ?? ''));
      stream.respond(
        { ...headerObject(kept), ':status': status },
        end ? { endStream: true } : { waitForTrailers: true },
      );
    },
    out: stream,
    finish(trailers) {
      pending = trailers;
      stream.end();
    },
    get responded() {
      return stream.headersSent;
    },
    abort: () => stream.close(constants.NGHTTP2_INTERNAL_ERROR),
    onClose: (listener) => void stream.once('close', listener),
  };
}

/** A connection that a client wants to use for another protocol. */
export interface UpgradeRequest {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What came behind the request's head. */
  readonly head: Buffer;
}
