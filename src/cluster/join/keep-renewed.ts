import { sleep, type Clock } from '../../base/clock.ts';
import type { KeyPair } from '../pki.ts';
import { renewalTime } from './node-certificates.ts';

export interface RenewalOptions {
  readonly pair: KeyPair;
  /** As sentences begin: `the client certificate`. */
  readonly what: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Asks for a new one. */
  request(): Promise<KeyPair>;
  /** Puts a new one to use. */
  use(pair: KeyPair): void | Promise<void>;
  say(line: string): void;
}

const retryMs = 10_000;
/** Timers hold no more than 2^31 ms. */
const longestMs = 86_400_000;

/** Replaces a certificate after four fifths of its life, over and over; tries again every ten seconds at most. Resolves with the signal. */
export async function keepRenewed(options: RenewalOptions): Promise<void> {
  const { what, clock, signal, say } = options;
  let { pair } = options;
  while (!signal.aborted) {
    try {
      const left = Math.min(renewalTime(pair.cert) - clock.now(), longestMs);
      if (left > 0) {
        await sleep(clock, left, signal);
        continue;
      }
      pair = await options.request();
      await options.use(pair);
      say(`${what} was renewed`);
      // One that is due at once must not be asked for without end.
      await sleep(clock, retryMs, signal);
    } catch (error) {
      if (signal.aborted) return;
      say(`${what} could not be renewed: ${error instanceof Error ? error.message : String(error)}`);
      await sleep(clock, retryMs, signal).catch(() => undefined);
    }
  }
}
