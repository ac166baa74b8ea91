import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Duplex } from 'node:stream';
import { RuntimeError } from '../../container-runtime.ts';
import { SpdyConnection } from '../../streams/spdy/spdy-connection.ts';

/**
 * Opens the address that a runtime gave for exec, attach or port-forward, and speaks SPDY/3.1 there: of the protocols that all
 * runtimes know it is the only one that can end its input.
 */
export function openStreaming(url: string, protocol: string): Promise<SpdyConnection> {
  return new Promise((resolve, reject) => {
    const target = new URL(url);
    const open = target.protocol === 'https:' ? httpsRequest : httpRequest;
    const request = open(target, {
      method: 'POST',
      // The runtime's own certificate is its own word for itself, on this machine.
      rejectUnauthorized: false,
      headers: {
        Connection: 'Upgrade',
        Upgrade: 'SPDY/3.1',
        'X-Stream-Protocol-Version': protocol,
      },
    });
    request.once('upgrade', (_response, socket: Duplex, head: Buffer) => {
      if (head.length > 0) socket.unshift(head);
      resolve(
        new SpdyConnection({
          socket,
          role: 'client',
          onStream: (stream) => stream.duplex.destroy(),
        }),
      );
    });
    request.once('response', (response) => {
      response.resume();
      reject(
        new RuntimeError(
          'FAILED',
          `the runtime's streaming server answered ${response.statusCode} to ${target.pathname}`,
        ),
      );
    });
    request.once('error', (cause) =>
      reject(
        new RuntimeError(
          'FAILED',
          `the runtime's streaming server at ${target.host} cannot be reached: ${cause.message}`,
          {
            cause,
          },
        ),
      ),
    );
    request.end();
  });
}
