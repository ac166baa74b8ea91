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

/** Connections to endpoints, kept for the next request for some seconds. */
export interface EndpointConnections {
  /** `fresh`: not one that was kept. */
  take(endpoint: UpstreamEndpoint, user: EndpointUser, how: 'any' | 'fresh'): EndpointConnection;
  /** Closes idle connections to an endpoint. */
  forget(endpoint: UpstreamEndpoint): void;
  close(): void;
}

const idleMs = 4_000;
const sweepMs = 1_000;
const maxIdle = 256;

/** A connection to an endpoint; one request at a time. */
export class EndpointConnection {
  readonly socket: Socket;
  readonly key: string;
  connected = false;
  /** Whether it has carried a request before. */
  reused = false;
  /** Since when nobody uses it. */
  idleSince = 0;
  #user: EndpointUser | undefined;
  readonly #idle: IdleConnections;
  readonly #timer: Timer;

  constructor(endpoint: UpstreamEndpoint, user: EndpointUser, idle: IdleConnections) {
    this.key = keyOf(endpoint);
    this.#user = user;
    this.#idle = idle;
    const { ip, port } = endpoint;
    const socket = connect({ host: ip, port, noDelay: true });
    this.socket = socket;
    this.#timer = idle.clock.after(connectTimeoutMs, () =>
      socket.destroy(Object.assign(new Error('connect timed out'), { code: 'ETIMEDOUT' })),
    );
    socket.once('connect', () => {
      this.#timer.cancel();
      this.connected = true;
      this.#user?.onConnect();
    });
    socket.on('data', (bytes: Buffer) => {
      // Nobody asked for it: what it would be taken for next is not known.
      if (this.#user) this.#user.onData(bytes);
      else this.#leave(undefined);
    });
    socket.on('drain', () => this.#user?.onDrain());
    socket.once('end', () => this.#leave(undefined));
    socket.on('error', (error) => this.#leave(error));
    socket.once('close', () => this.#leave(undefined));
  }

  use(user: EndpointUser): void {
    this.#user = user;
  }

  /** Gives it back for the next request. */
  release(): void {
    this.#user = undefined;
    this.reused = true;
    this.#idle.add(this);
  }

  /** Closes it. The user hears no more. */
  destroy(): void {
    this.#user = undefined;
    this.#leave(undefined);
  }

  #leave(error: Error | undefined): void {
    this.#timer.cancel();
    this.#idle.remove(this);
    const told = this.#user;
    this.#user = undefined;
    told?.onEnd(error);
    this.socket.destroy();
  }
}

/** Those that nobody uses, the longest idle first. */
class IdleConnections {
  readonly clock: Clock;
  readonly #byKey = new Map<string, EndpointConnection[]>();
  #sweeping: Timer | undefined;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  add(connection: EndpointConnection): void {
    let list = this.#byKey.get(connection.key);
    if (!list) this.#byKey.set(connection.key, (list = []));
    if (connection.socket.destroyed || list.length >= maxIdle) {
      connection.socket.destroy();
      return;
    }
    connection.idleSince = this.clock.monotonic();
    list.push(connection);
    this.#sweeping ??= this.clock.after(sweepMs, () => this.#sweep());
  }

  take(key: string): EndpointConnection | undefined {
    return this.#byKey.get(key)?.pop();
  }

  remove(connection: EndpointConnection): void {
    const list = this.#byKey.get(connection.key);
    const at = list?.indexOf(connection) ?? -1;
    if (at >= 0) list?.splice(at, 1);
  }

  destroy(key: string): void {
    const list = this.#byKey.get(key);
    this.#byKey.delete(key);
    for (const connection of list ?? []) connection.destroy();
  }

  close(): void {
    this.#sweeping?.cancel();
    this.#sweeping = undefined;
    for (const key of Array.from(this.#byKey.keys())) this.destroy(key);
  }

  #sweep(): void {
    this.#sweeping = undefined;
    const oldest = this.clock.monotonic() - idleMs;
    for (const [key, list] of this.#byKey) {
      const old = list.findIndex(({ idleSince }) => idleSince >= oldest);
      for (const connection of list.splice(0, old < 0 ? list.length : old)) connection.destroy();
      if (list.length === 0) this.#byKey.delete(key);
    }
    if (this.#byKey.size > 0) this.#sweeping = this.clock.after(sweepMs, () => this.#sweep());
  }
}

export function createEndpointConnections(clock: Clock): EndpointConnections {
  const idle = new IdleConnections(clock);
  return {
    take(endpoint, user, how) {
      const kept = how === 'any' ? idle.take(keyOf(endpoint)) : undefined;
      if (!kept) return new EndpointConnection(endpoint, user, idle);
      kept.use(user);
      return kept;
    },
    forget: (endpoint) => idle.destroy(keyOf(endpoint)),
    close: () => idle.close(),
  };
}

function keyOf({ ip, port }: UpstreamEndpoint): string {
  return `${ip}|${port}`;
}
