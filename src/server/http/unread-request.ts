import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { encodeJsonBytes } from '../../machinery/json/encode.ts';
import { newMethodNotAllowed } from '../../machinery/status/errors.ts';

/** Go's answer to what is no HTTP. */
const badRequest =
  'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request';

/** What Node.js tells of bytes that it does not take for a request. */
interface ParseError extends Error {
  readonly code?: string;
  readonly rawPacket?: Buffer;
}

/**
 * The answer to what Node.js could not read as a request. A method that HTTP does not register is one of them; who has shown a
 * certificate of the cluster hears that it is not allowed, anybody else, who would have to be established first, nothing more
 * than of any nonsense.
 */
export function answerUnread(error: ParseError, socket: Duplex): string {
  const line = error.rawPacket?.subarray(0, 4096).toString('latin1').split('\r\n', 1)[0] ?? '';
  const isMethod = error.code === 'HPE_INVALID_METHOD' && /^[A-Z]+ \/apis?\/\S* HTTP\/1\.1$/.test(line);
  if (!isMethod || !(socket instanceof TLSSocket) || !socket.authorized) return badRequest;
  const body = encodeJsonBytes(newMethodNotAllowed().status).toString('latin1');
  const head = ['HTTP/1.1 405 Method Not Allowed', 'Content-Type: application/json', 'Connection: close'];
  return `${[...head, `Content-Length: ${body.length}`].join('\r\n')}\r\n\r\n${body}`;
}
