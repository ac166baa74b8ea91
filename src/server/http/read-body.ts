import type { Clock, Timer } from '../../base/clock.ts';
import { newRequestEntityTooLarge } from '../../machinery/status/errors.ts';
import type { HttpRequest } from './exchange.ts';

/** Reads bodies, and drops those that nobody wants so slowly that who sends them keeps the server from nobody else. */
export interface Bodies {
  /**
   * Reads a whole body. Throws 413 beyond 3 MiB, after it has dropped the rest of one that is not much larger: a client that is
   * cut off while it sends would never see the answer. Resolves to undefined when the client went away.
   */
  read(request: HttpRequest): Promise<Buffer | undefined>;
  /** Drops what is left of a body; cuts the connection when that is too much, or takes too long. */
  drop(request: HttpRequest): void;
}

const limit = 3 * 1024 * 1024;
/** How much of a body that is too large is read all the same, and for how long. */
const patienceBytes = 16 * 1024 * 1024;
const patienceMs = 2_000;

/** After so many bytes that were dropped another unwanted body has its turn, and so much later. */
const burstBytes = 128 * 1024;
const pauseMs = 20;
/** The same once the answer is sent, with nobody to wait for it. */
const answeredPauseMs = 40;

/** Lets bodies that are dropped in by bursts, of all of them one at a time. */
function slowDown(clock: Clock, pause: number): (request: HttpRequest) => (chunk: Buffer) => void {
  const paused: HttpRequest[] = [];
  let timer: Timer | undefined;

  function plan(): void {
    timer ??= clock.after(pause, () => {
      timer = undefined;
      paused.shift()?.resume();
      if (paused.length > 0) plan();
    });
  }

  return (request) => {
    let burst = 0;
    return (chunk) => {
      burst += chunk.length;
      if (burst < burstBytes) return;
      burst = 0;
      request.pause();
      paused.push(request);
      plan();
    };
  };
}

export function requestBodies(clock: Clock): Bodies {
  const unanswered = slowDown(clock, pauseMs);
  const answered = slowDown(clock, answeredPauseMs);

  return {
    drop(request) {
      if (request.complete || request.destroyed) {
        request.resume();
        return;
      }
      const late = clock.after(patienceMs, () => request.destroy());
      request.once('end', () => late.cancel());
      request.once('close', () => late.cancel());
      const dropped = answered(request);
      let size = 0;
      request.removeAllListeners('data');
      request.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > patienceBytes) request.destroy();
        else dropped(chunk);
      });
      request.resume();
    },
    async read(request) {
      const tooLarge = (): Error => newRequestEntityTooLarge(`limit is ${limit}`);
      if (Number(request.headers['content-length'] ?? 0) > patienceBytes) throw tooLarge();
      const chunks: Buffer[] = [];
      const dropped = unanswered(request);
      let size = 0;
      return new Promise((resolve, reject) => {
        request.on('data', (chunk: Buffer) => {
          size += chunk.length;
          if (size <= limit) {
            chunks.push(chunk);
            return;
          }
          chunks.length = 0;
          dropped(chunk);
          if (size > patienceBytes) reject(tooLarge());
        });
        request.on('end', () => {
          if (size > limit) reject(tooLarge());
          else resolve(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
        });
        request.on('error', () => resolve(undefined));
        request.on('close', () => resolve(undefined));
      });
    },
  };
}
