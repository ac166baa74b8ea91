import type { Clock } from '../../base/clock.ts';
import { sleep } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import { createClient } from '../../client/create-client.ts';
import { createHttpsTransport } from '../../client/https-transport.ts';
import type { Transport } from '../../machinery/transport.ts';
import type { KeyPair } from '../pki.ts';
import { renewalTime, requestCertificate, writePair } from './node-certificates.ts';

export interface RenewedClientOptions {
  readonly server: string;
  readonly ca: string;
  /** The node's certificate now. */
  readonly pair: KeyPair;
  readonly nodeName: string;
  /** Where new ones are kept, as `client.crt` and `client.key`. */
  readonly directory: string;
  readonly lifetimeSeconds?: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  say(line: string): void;
}

const retryMs = 10_000;
/** Watches of the former certificate end by themselves before it is closed. */
const overlapMs = 600_000;

/** A client as a node, which asks for a new certificate in time and goes on with it. */
export function createRenewedClient(options: RenewedClientOptions): Client {
  const { server, ca, nodeName, directory, clock, signal, say, lifetimeSeconds } = options;
  let { pair } = options;
  let current = connect();
  const transport: Transport = {
    request: (request) => current.request(request),
    watch: (request) => current.watch(request),
    raw: (path, rawSignal) => current.raw(path, rawSignal),
    close: () => current.close(),
  };
  const client = createClient(transport);
  void renew();
  return client;

  function connect(): Transport {
    return createHttpsTransport({ server, ca, ...pair });
  }

  async function renew(): Promise<void> {
    while (!signal.aborted) {
      try {
        // Timers hold no more than 2^31 ms.
        const left = Math.min(renewalTime(pair.cert) - clock.now(), 86_400_000);
        if (left > 0) {
          await sleep(clock, left, signal);
          continue;
        }
        pair = await requestCertificate({
          client,
          clock,
          signal,
          nodeName,
          purpose: { kind: 'client' },
          ...(lifetimeSeconds !== undefined && { lifetimeSeconds }),
        });
        await writePair(directory, 'client', pair);
        const former = current;
        current = connect();
        clock.after(overlapMs, () => void former.close());
        say('the client certificate was renewed');
      } catch (error) {
        if (signal.aborted) return;
        say(
          `the client certificate could not be renewed: ${error instanceof Error ? error.message : String(error)}`,
        );
        await sleep(clock, retryMs, signal).catch(() => undefined);
      }
    }
  }
}
