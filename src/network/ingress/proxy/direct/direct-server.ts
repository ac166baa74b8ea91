import type { Socket } from 'node:net';
import type { Timer } from '../../../../base/clock.ts';
import type { ServedListener } from '../serve-requests.ts';
import {
  createDirectConnection,
  type DirectConnection,
  type DirectConnectionOptions,
} from './direct-connection.ts';
import { createFieldMeanings } from './field-meaning.ts';

/** The connections of one listener that are served directly. */
export interface DirectServer {
  /** `bytes` were read from it already. */
  accept(connection: Pick<DirectConnectionOptions, 'socket' | 'client' | 'handOver'>, bytes: Buffer): void;
  /** Takes no more requests; what is under way is answered. */
  close(): void;
}

const sweepMs = 5_000;
const idleMs = 75_000;
const headMs = 30_000;

export function createDirectServer(
  listener: ServedListener,
  surroundings: DirectConnectionOptions['surroundings'],
): DirectServer {
  const { clock } = surroundings;
  const meaningOf = createFieldMeanings();
  const connections = new Map<Socket, DirectConnection>();
  let sweeping: Timer | undefined;
  let closing = false;

  function sweep(): void {
    const now = clock.monotonic();
    for (const connection of connections.values())
      connection.expire({ idle: now - idleMs, head: now - headMs });
    sweeping = connections.size > 0 ? clock.after(sweepMs, sweep) : undefined;
  }

  return {
    accept({ socket, client, handOver }, bytes) {
      const connection = createDirectConnection({
        socket,
        client,
        listener,
        surroundings,
        meaningOf,
        handOver(rest) {
          connections.delete(socket);
          handOver(rest);
        },
      });
      connections.set(socket, connection);
      socket.once('close', () => connections.delete(socket));
      sweeping ??= clock.after(sweepMs, sweep);
      if (closing) connection.close();
      if (bytes.length > 0) connection.begin(bytes);
    },
    close() {
      closing = true;
      for (const connection of connections.values()) connection.close();
    },
  };
}
