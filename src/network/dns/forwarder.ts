import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { responseCode, withId } from './wire.ts';

export interface ForwarderOptions {
  readonly clock: Clock;
  /** Where to ask, in order of preference. */
  servers(): Promise<readonly string[]>;
  /** Default 53. */
  readonly port?: number;
}

const attemptMs = 1_500;
const pauseMs = 3_000;

/** Asks other name servers. */
export class Forwarder {
  readonly #options: ForwarderOptions;
  #downUntil = -Infinity;
  #probing = false;

  constructor(options: ForwarderOptions) {
    this.#options = options;
  }

  /**
   * The answer of the first server that has one, under the query's identifier; undefined when none does. After a failure
   * of all servers it answers undefined at once for three seconds, then tries them with one query before it trusts them.
   */
  async ask(query: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    const { clock } = this.#options;
    const doubtful = this.#downUntil > -Infinity;
    if (doubtful && (this.#probing || clock.monotonic() < this.#downUntil)) return undefined;
    this.#probing = doubtful;
    try {
      const answer = await this.#askAll(query, transport);
      this.#downUntil = answer ? -Infinity : clock.monotonic() + pauseMs;
      return answer;
    } finally {
      this.#probing = false;
    }
  }

  async #askAll(query: Buffer, transport: 'udp' | 'tcp'): Promise<Buffer | undefined> {
    const id = randomInt(0x10000);
    const message = withId(query, id);
    const ask = transport === 'udp' ? this.#askUdp : this.#askTcp;
    let failed: Buffer | undefined;
    for (const server of await this.#options.servers()) {
      const answer = await ask.call(this, message, server);
      if (!answer) continue;
      const result = withId(answer, query.readUInt16BE(0));
      if (responseCode(answer) !== 2) return result;
      failed = result;
    }
    return failed;
  }

  #askUdp(message: Buffer, server: string): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
      const socket = createSocket(isIPv6(server) ? 'udp6' : 'udp4');
      let open = true;
      const done = (answer: Buffer | undefined): void => {
        if (!open) return;
        open = false;
        timer.cancel();
        socket.close();
        resolve(answer);
      };
      const timer = this.#options.clock.after(attemptMs, () => done(undefined));
      socket.on('error', () => done(undefined));
      socket.on('message', (answer) => {
        if (answer.length >= 12 && answer.readUInt16BE(0) === message.readUInt16BE(0)) done(answer);
      });
      socket.connect(this.#options.port ?? 53, server, (error?: Error) => {
        if (error) done(undefined);
        else if (open) socket.send(message, (failure) => failure && done(undefined));
      });
    });
  }

  #askTcp(message: Buffer, server: string): Promise<Buffer | undefined> {
    return new Promise((resolve) => {
      const parts: Buffer[] = [];
      const socket = connect({ host: server, port: this.#options.port ?? 53 });
      const timer = this.#options.clock.after(attemptMs, () => done(undefined));
      const done = (answer: Buffer | undefined): void => {
        timer.cancel();
        socket.destroy();
        resolve(answer);
      };
      socket.on('error', () => done(undefined));
      socket.on('close', () => done(undefined));
      socket.on('data', (part) => {
        parts.push(part);
        const all = Buffer.concat(parts);
        if (all.length >= 2 && all.length >= 2 + all.readUInt16BE(0))
          done(all.subarray(2, 2 + all.readUInt16BE(0)));
      });
      socket.write(framed(message));
    });
  }
}

/** A message with its length before it, as TCP carries it. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
