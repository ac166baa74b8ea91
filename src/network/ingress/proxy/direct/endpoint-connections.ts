import { connect, type Socket } from 'node:net';
import type { Clock, Timer } from '../../../../base/clock.ts';
import type { UpstreamEndpoint } from '../proxy-configuration.ts';
import { connectTimeoutMs } from '../upstream-exchange.ts';

/** Who uses a connection to an endpoint now. */
export interface EndpointUser {
  onConnect(): void;
  onData(bytes: Buffer): void;
  /** The endpoint will send no more, or the connection broke. */
  onEnd(error: Error | undefined): void;
  onDrain(): void;
}

/** A connection to an endpoint; one request at a time. */
export interface EndpointConnection {
  readonly socket: Socket;
  readonly connected: boolean;
  /** Whether it has carried a request before. */
  readonly reused: boolean;
  /** Gives it back for the next request. */
  release(): void;
  /** Closes it. The user hears no more. */
  destroy(): void;
}

/** Connections to endpoints, kept for the next request for some seconds. */
export interface EndpointConnections {
  /** `fresh`: not one that was kept. */
  take(endpoint: UpstreamEndpoint, user: EndpointUser, how: 'any' | 'fresh'): EndpointConnection;
  /** Closes idle connections to an endpoint. */
  forget(endpoint: UpstreamEndpoint): void;
  close(): void;
}

interface Kept {
  readonly connection: EndpointConnection;
  readonly since: number;
  use(user: EndpointUser): void;
}

const idleMs = 4_000;
const sweepMs = 1_000;
const maxIdle = 256;

export function createEndpointConnections(clock: Clock): EndpointConnections {
  const idle = new Map<string, Kept[]>();
  let sweeping: Timer | undefined;

  function sweep(): void {
    sweeping = undefined;
    const oldest = clock.monotonic() - idleMs;
    for (const [key, list] of idle) {
      let old = 0;
      while (old < list.length && (list[old]?.since ?? 0) < oldest) old += 1;
      for (const { connection } of list.splice(0, old)) connection.destroy();
      if (list.length === 0) idle.delete(key);
    }
    if (idle.size > 0) sweeping = clock.after(sweepMs, sweep);
  }

  function open({ ip, port }: UpstreamEndpoint, key: string, first: EndpointUser): EndpointConnection {
    let user: EndpointUser | undefined = first;
    let kept: Kept | undefined;
    let connected = false;
    let reused = false;
    const socket = connect({ host: ip, port, noDelay: true });
    const timer = clock.after(connectTimeoutMs, () =>
      socket.destroy(Object.assign(new Error('connect timed out'), { code: 'ETIMEDOUT' })),
    );
    const leave = (error: Error | undefined): void => {
      timer.cancel();
      if (kept) {
        const list = idle.get(key);
        const at = list?.indexOf(kept) ?? -1;
        if (at >= 0) list?.splice(at, 1);
        kept = undefined;
      }
      const told = user;
      user = undefined;
      told?.onEnd(error);
      socket.destroy();
    };
    socket.once('connect', () => {
      timer.cancel();
      connected = true;
      user?.onConnect();
    });
    socket.on('data', (bytes: Buffer) => {
      // Nobody asked for it: what it would be taken for next is not known.
      if (user) user.onData(bytes);
      else leave(undefined);
    });
    socket.on('drain', () => user?.onDrain());
    socket.once('end', () => leave(undefined));
    socket.on('error', (error) => leave(error));
    socket.once('close', () => leave(undefined));
    const connection: EndpointConnection = {
      socket,
      get connected() {
        return connected;
      },
      get reused() {
        return reused;
      },
      release() {
        user = undefined;
        const list = idle.get(key) ?? [];
        if (socket.destroyed || list.length >= maxIdle) {
          socket.destroy();
          return;
        }
        reused = true;
        kept = {
          connection,
          since: clock.monotonic(),
          use(next) {
            kept = undefined;
            user = next;
          },
        };
        list.push(kept);
        if (list.length === 1) idle.set(key, list);
        sweeping ??= clock.after(sweepMs, sweep);
      },
      destroy() {
        user = undefined;
        leave(undefined);
      },
    };
    return connection;
  }

  return {
    take(endpoint, user, how) {
      const key = keyOf(endpoint);
      const kept = how === 'any' ? idle.get(key)?.pop() : undefined;
      if (!kept) return open(endpoint, key, user);
      kept.use(user);
      return kept.connection;
    },
    forget(endpoint) {
      const kept = idle.get(keyOf(endpoint))?.slice();
      for (const { connection } of kept ?? []) connection.destroy();
    },
    close() {
      sweeping?.cancel();
      sweeping = undefined;
      const all = [...idle.values()].flat();
      idle.clear();
      for (const { connection } of all) connection.destroy();
    },
  };
}

function keyOf({ ip, port }: UpstreamEndpoint): string {
  return `${ip}|${port}`;
}
