import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { connect as connectTcp } from 'node:net';
import { headerList, headerObject, headerValue } from './header-list.ts';
import type { UpstreamEndpoint } from './proxy-configuration.ts';
import {
  connectTimeoutMs,
  type SentRequest,
  type UpstreamHandler,
  type UpstreamRequest,
} from './upstream-exchange.ts';
import { keyOf } from './upstream-pool.ts';

/** Connections to endpoints that speak HTTP/2 without TLS, shared by the requests to each. */
export interface Http2Connections {
  send(endpoint: UpstreamEndpoint, request: UpstreamRequest, handler: UpstreamHandler): SentRequest;
  /** Closes connections to an endpoint once what is under way has been answered. */
  forget(endpoint: UpstreamEndpoint): void;
  close(): void;
}

interface Shared {
  readonly session: ClientHttp2Session;
  readonly ready: Promise<void>;
  streams: number;
  leaving: boolean;
}

const streamsEach = 100;
const windowBytes = 1024 * 1024;

export function createHttp2Connections(): Http2Connections {
  const known = new Map<string, Shared[]>();

  function sharedFor(endpoint: UpstreamEndpoint): Shared {
    const key = keyOf(endpoint);
    const list = known.get(key) ?? [];
    known.set(key, list);
    const free = list.find(
      ({ session, streams, leaving }) =>
        !leaving &&
        !session.closed &&
        !session.destroyed &&
        streams < Math.min(streamsEach, session.remoteSettings?.maxConcurrentStreams ?? streamsEach),
    );
    if (free) return free;
    const opened = openSession(endpoint);
    list.push(opened);
    opened.session.once('goaway', () => (opened.leaving = true));
    opened.session.once('close', () => list.splice(list.indexOf(opened), 1));
    return opened;
  }

  return {
    send(endpoint, request, handler) {
      const shared = sharedFor(endpoint);
      let stream: ClientHttp2Stream | undefined;
      let aborted = false;
      shared.streams += 1;
      shared.ready.then(
        () => {
          if (aborted) return;
          try {
            stream = openStream(shared.session, request, handler);
            stream.once('close', () => (shared.streams -= 1));
          } catch (error) {
            shared.streams -= 1;
            handler.onFailure({ unsent: true, error: error as Error });
          }
        },
        (error: Error) => {
          if (!aborted) handler.onFailure({ unsent: true, error });
        },
      );
      return {
        abort() {
          aborted = true;
          if (stream) stream.close(constants.NGHTTP2_CANCEL);
          else shared.streams -= 1;
        },
      };
    },
    forget(endpoint) {
      for (const { session } of known.get(keyOf(endpoint)) ?? []) session.close();
      known.delete(keyOf(endpoint));
    },
    close() {
      for (const list of known.values()) for (const { session } of list) session.destroy();
      known.clear();
    },
  };
}

function openSession({ ip, port }: UpstreamEndpoint): Shared {
  const socket = connectTcp({ host: ip, port, noDelay: true });
  const session = connect(`http://${keyOf({ ip, port })}`, {
    createConnection: () => socket,
    settings: { enablePush: false, initialWindowSize: windowBytes },
  });
  const ready = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => session.destroy(new Error('connect timed out')), connectTimeoutMs);
    session.once('connect', () => {
      clearTimeout(timer);
      session.setLocalWindowSize(4 * windowBytes);
      resolve();
    });
    session.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    session.once('close', () => reject(new Error('the endpoint closed the connection')));
  });
  ready.catch(() => {});
  session.on('error', () => {});
  session.unref();
  return { session, ready, streams: 0, leaving: false };
}

function openStream(
  session: ClientHttp2Session,
  request: UpstreamRequest,
  handler: UpstreamHandler,
): ClientHttp2Stream {
  const { body, headers, method, path } = request;
  const fields = headerObject(headers);
  const authority = headerValue(headers, 'host') ?? '';
  delete fields['host'];
  // Only this value of the field may stand in HTTP/2, and servers of gRPC want it.
  if (String(fields['content-type'] ?? '').startsWith('application/grpc')) fields['te'] = 'trailers';
  const stream = session.request(
    { ...fields, ':method': method, ':path': path, ':scheme': 'http', ':authority': authority },
    { endStream: !body, waitForTrailers: body !== undefined },
  );
  let settled = false;
  let trailers: readonly string[] = [];
  stream.on('trailers', (received) => (trailers = headerList(received)));
  stream.on('wantTrailers', () => stream.sendTrailers(headerObject(request.trailers?.() ?? [])));
  stream.on('response', (received, flags) => {
    settled = true;
    const ended = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    if (ended) stream.resume();
    handler.onResponse({
      status: received[':status'] ?? 502,
      headers: headerList(received),
      ...(!ended && { body: stream }),
      trailers: () => trailers,
    });
  });
  stream.on('error', () => {});
  stream.on('close', () => {
    body?.resume();
    if (settled) return;
    settled = true;
    const refused = stream.rstCode === constants.NGHTTP2_REFUSED_STREAM;
    handler.onFailure({
      unsent: refused && !body,
      error: new Error(`the endpoint reset the stream (code ${stream.rstCode})`),
    });
  });
  if (body) {
    body.on('data', (chunk: Buffer) => {
      if (!stream.destroyed && !stream.write(chunk)) body.pause();
    });
    stream.on('drain', () => body.resume());
    body.on('end', () => stream.end());
    body.on('error', () => stream.close(constants.NGHTTP2_CANCEL));
    body.resume();
  }
  return stream;
}
