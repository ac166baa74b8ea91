import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2';
import { promisify } from 'node:util';
import { gzip as gzipCallback } from 'node:zlib';
import type { Turns } from './turns.ts';

export type HttpRequest = IncomingMessage | Http2ServerRequest;
export type HttpResponse = ServerResponse | Http2ServerResponse;

const gzip = promisify(gzipCallback);
const gzipThreshold = 128 * 1024;
/** How much of a body is encrypted at once. */
const pieceSize = 64 * 1024;

/** What is sent at once. */
export interface Reply {
  readonly code: number;
  readonly contentType: string;
  readonly body: Buffer;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
}

/** `Warning` header values: `299 - "text"` (RFC 7234, 5.5). */
export function warningHeaders(warnings: Iterable<string>): string[] {
  return [...warnings].map((text) => `299 - ${quoted(text)}`);
}

function quoted(text: string): string {
  // Header values are visible ASCII; the rest is escaped as Go's strconv.Quote does.
  const ascii = text.replaceAll(/[^\x20-\x7e]/g, (char) =>
    char === '\n' ? ' ' : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `"${ascii.replaceAll(/["\\]/g, '\\$&')}"`;
}

/** Sends a reply, compressed when it is large and the client reads gzip. Never throws. */
export async function send(
  request: HttpRequest,
  response: HttpResponse,
  reply: Reply,
  turns: Turns,
): Promise<void> {
  const compress =
    reply.body.length >= gzipThreshold && /\bgzip\b/.test([request.headers['accept-encoding']].join(','));
  const body = compress ? await gzip(reply.body, { level: 1 }) : reply.body;
  if (response.headersSent || response.destroyed) return;
  response.statusCode = reply.code;
  response.setHeader('content-type', reply.contentType);
  response.setHeader('cache-control', 'no-cache, private');
  response.setHeader('content-length', body.length);
  if (compress) response.setHeader('content-encoding', 'gzip');
  if (reply.body.length >= gzipThreshold) response.setHeader('vary', 'Accept-Encoding');
  for (const [name, value] of Object.entries(reply.headers ?? {})) response.setHeader(name, value);
  if (request.method === 'HEAD') response.end();
  else if (body.length <= pieceSize) response.end(body);
  else endWith(response, body, turns);
}

/** Ends an answer with a body, in pieces as the client takes them: a large one must not keep the server from others. */
function endWith(response: HttpResponse, body: Buffer, turns: Turns): void {
  let sent = 0;
  const next = (): void => {
    if (response.destroyed) return;
    const piece = body.subarray(sent, sent + pieceSize);
    sent += pieceSize;
    if (sent >= body.length) response.end(piece);
    else if (writeChunk(response, piece)) turns.run(next);
    else response.once('drain', () => turns.run(next));
  };
  turns.run(next);
}

/** Writes to a response; false when the client reads more slowly than that. */
export function writeChunk(response: HttpResponse, chunk: Buffer): boolean {
  return 'stream' in response ? response.write(chunk) : response.write(chunk);
}

/** Sends status and headers before there is a body. */
export function flushHeaders(response: HttpResponse): void {
  if ('stream' in response) response.writeHead(response.statusCode);
  else response.flushHeaders();
}
