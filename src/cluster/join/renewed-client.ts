import type { Clock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import { createClient } from '../../client/create-client.ts';
import { createHttpsTransport } from '../../client/https-transport.ts';
import type { Transport } from '../../machinery/transport.ts';
import type { KeyPair } from '../pki.ts';
import { keepRenewed } from './keep-renewed.ts';
import { requestCertificate, writePair } from './node-certificates.ts';

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

/** Watches of the former certificate end by themselves before it is closed. */
const overlapMs = 600_000;

/** A client as a node, which asks for a new certificate in time and goes on with it. */
export function createRenewedClient(options: RenewedClientOptions): Client {
  const { server, ca, pair, nodeName, directory, clock, signal, say, lifetimeSeconds } = options;
  let current = connect(pair);
  const transport: Transport = {
    request: (request) => current.request(request),
    watch: (request) => current.watch(request),
    raw: (path, rawSignal) => current.raw(path, rawSignal),
    close: () => current.close(),
  };
  const client = createClient(transport);
  void keepRenewed({
    pair,
    what: 'the client certificate',
    clock,
    signal,
    say,
    request: () =>
      requestCertificate({
        client,
        clock,
        signal,
        nodeName,
        purpose: { kind: 'client' },
        ...(lifetimeSeconds !== undefined && { lifetimeSeconds }),
      }),
    async use(next) {
      await writePair(directory, 'client', next);
      const former = current;
      current = connect(next);
      clock.after(overlapMs, () => void former.close());
    },
  });
  return client;

  function connect({ cert, key }: KeyPair): Transport {
    return createHttpsTransport({ server, ca, cert, key });
  }
}
