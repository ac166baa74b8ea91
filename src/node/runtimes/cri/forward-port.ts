import type { Duplex } from 'node:stream';
import type { Clock } from '../../../base/clock.ts';
import { RuntimeError } from '../../container-runtime.ts';
import { portForwardProtocol } from '../../streams/port-forward.ts';
import { openStreaming } from './streaming.ts';

/** A refusal comes at once, and nothing tells of success: silence for this long is one. */
const refusalMs = 60;

/**
 * Opens a connection to a port of a pod through the runtime's streaming server. Throws `NETWORK` when it is refused; a failure
 * that shows only later destroys the connection.
 */
export async function forwardPort(url: string, port: number, clock: Clock): Promise<Duplex> {
  const connection = await openStreaming(url, portForwardProtocol);
  const headers = (streamType: string): ReadonlyMap<string, string> =>
    new Map([
      ['streamtype', streamType],
      ['port', String(port)],
      ['requestid', '0'],
    ]);
  const error = (await connection.open(headers('error'))).duplex;
  error.end();
  const data = (await connection.open(headers('data'))).duplex;
  data.once('close', () => connection.close());
  return new Promise((resolve, reject) => {
    const timer = clock.after(refusalMs, () => resolve(data));
    error.on('data', (chunk: Buffer) => {
      const failure = new RuntimeError('NETWORK', chunk.toString().trim());
      timer.cancel();
      reject(failure);
      data.destroy(failure);
    });
    data.once('readable', () => {
      if (data.readableLength === 0) return;
      timer.cancel();
      resolve(data);
    });
  });
}
