import type { IncomingMessage } from 'node:http';
import type { Duplex, Readable } from 'node:stream';
import type { WebSocket } from 'ws';
import { newBadRequest } from '../../machinery/status/errors.ts';

/** A connection whose client asks to switch protocols. */
export interface UpgradeConnection {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
}

/** Subprotocols for one stream of bytes; a client that names none gets the first. */
const byteProtocols: readonly string[] = ['binary.k8s.io', 'base64.binary.k8s.io'];

/** Whether a client asks for a WebSocket. */
export function asksForWebSocket({ headers }: IncomingMessage): boolean {
  return /^websocket$/i.test(headers.upgrade ?? '');
}

/** The subprotocol of a stream of bytes; undefined when the client named none. Throws `StatusError`. */
export function byteProtocol(request: IncomingMessage): string | undefined {
  const offered = offeredProtocols(request);
  const chosen = byteProtocols.find((known) => offered.includes(known));
  if (offered.length === 0 || chosen !== undefined) return chosen;
  const [asked, known] = [offered, byteProtocols].map((list) => list.join(' '));
  throw newBadRequest(`requested protocol(s) are not supported: [${asked}]; supports [${known}]`);
}

/** The protocols that a client offers, in its order. */
export function offeredProtocols({ headers }: IncomingMessage): readonly string[] {
  return (headers['sec-websocket-protocol'] ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');
}

/** Agrees to switch to WebSocket. Throws `StatusError` when the request is no proper one. */
export async function acceptWebSocket(
  { request, socket, head }: UpgradeConnection,
  protocol: string | undefined,
): Promise<WebSocket> {
  const { WebSocketServer } = await import('ws');
  const server = new WebSocketServer({ noServer: true, handleProtocols: () => protocol ?? false });
  return new Promise((resolve, reject) => {
    server.once('wsClientError', (error) => reject(newBadRequest(`unable to upgrade: ${error.message}`)));
    server.handleUpgrade(request, socket, head, (webSocket) => {
      webSocket.on('error', () => webSocket.terminate());
      resolve(webSocket);
    });
  });
}

/**
 * Sends a stream as messages and closes behind it: binary ones, or texts of base64. The first is empty and says that the stream
 * has begun, as upstream's reader over WebSocket does. Resolves when the client has gone, too.
 */
export async function sendBytes(webSocket: WebSocket, bytes: Readable): Promise<void> {
  const base64 = webSocket.protocol.startsWith('base64.');
  const sent = (chunk: Buffer): Promise<boolean> =>
    new Promise((done) => {
      webSocket.send(base64 ? chunk.toString('base64') : chunk, { binary: !base64 }, (error) => done(!error));
    });
  webSocket.once('close', () => bytes.destroy());
  try {
    if (!(await sent(Buffer.alloc(0)))) return;
    for await (const chunk of bytes) if (!(await sent(chunk as Buffer))) return;
  } catch {
    webSocket.close(1011);
    return;
  }
  webSocket.close(1000);
}
