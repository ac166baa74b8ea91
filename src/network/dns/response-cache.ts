import type { Clock } from '../../base/clock.ts';
import { responseCode, ttlOffsets, withId } from './wire.ts';

const capacity = 4096;
const longestMs = 30_000;
const failureMs = 1_000;

interface Cached {
  readonly message: Buffer;
  readonly stored: number;
  readonly until: number;
}

/** Answers of other servers, for as long as their TTLs say and at most 30 seconds; failures for one second. */
export class ResponseCache {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Cached>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The answer under the asker's identifier, its TTLs lowered by its age. */
  get(key: string, id: number): Buffer | undefined {
    const entry = this.#entries.get(key);
    const now = this.#clock.monotonic();
    if (!entry || entry.until <= now) {
      this.#entries.delete(key);
      return undefined;
    }
    const message = withId(entry.message, id);
    const age = Math.floor((now - entry.stored) / 1000);
    for (const at of ttlOffsets(message) ?? [])
      message.writeUInt32BE(Math.max(0, message.readUInt32BE(at) - age), at);
    return message;
  }

  set(key: string, message: Buffer): void {
    const offsets = ttlOffsets(message);
    if (!offsets) return;
    const failed = ![0, 3].includes(responseCode(message));
    const shortest = Math.min(...offsets.map((at) => message.readUInt32BE(at) * 1000));
    const lasts = failed || offsets.length === 0 ? failureMs : Math.min(longestMs, shortest);
    if (lasts <= 0) return;
    const stored = this.#clock.monotonic();
    this.#entries.delete(key);
    this.#entries.set(key, { message, stored, until: stored + lasts });
    if (this.#entries.size <= capacity) return;
    for (const oldest of this.#entries.keys()) return void this.#entries.delete(oldest);
  }
}
