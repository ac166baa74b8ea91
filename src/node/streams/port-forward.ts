import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { sleep, type Clock } from '../../base/clock.ts';
import { SpdyConnection } from './spdy/spdy-connection.ts';
import type { SpdyStream } from './spdy/spdy-connection.ts';

/** Subprotocol of port-forward streams inside SPDY. */
export const portForwardProtocol = 'portforward.k8s.io';

/** Opens a connection to a port inside the pod. */
export type ConnectPort = (port: number) => Promise<Duplex>;

interface Pair {
  data?: SpdyStream;
  error?: SpdyStream;
  readonly timer: { cancel(): void };
}

/** A client opens both streams of a connection at once. */
const pairTimeoutMs = 30_000;
/** How long the client may go on sending to a server that has ended; kubectl waits for our end before it closes. */
const lingerMs = 1_000;

/**
 * Serves port-forward on a SPDY connection: for each forwarded connection the client opens a `data` and an `error` stream with
 * one `requestID`; bytes flow on the first, a failure is told on the second.
 */
export function servePortForward(
  socket: Duplex,
  { connect, clock }: { readonly connect: ConnectPort; readonly clock: Clock },
): SpdyConnection {
  const pairs = new Map<string, Pair>();
  const connection = new SpdyConnection({
    socket,
    role: 'server',
    onStream(stream) {
      const type = stream.headers.get('streamtype');
      const port = Number(stream.headers.get('port'));
      if ((type !== 'data' && type !== 'error') || !Number.isInteger(port) || port < 1 || port > 65_535) {
        stream.duplex.destroy();
        return;
      }
      // Old clients name no request: the error stream comes first, and its pair is the stream after it.
      const id = stream.headers.get('requestid') ?? String(type === 'error' ? stream.id : stream.id - 2);
      const pair = pairs.get(id) ?? { timer: clock.after(pairTimeoutMs, () => abandon(id)) };
      pair[type] = stream;
      pairs.set(id, pair);
      if (!pair.data || !pair.error) return;
      pair.timer.cancel();
      pairs.delete(id);
      void forward(pair.data.duplex, pair.error.duplex, { port, connect, clock });
    },
    onClose() {
      for (const { timer } of pairs.values()) timer.cancel();
      pairs.clear();
    },
  });

  function abandon(id: string): void {
    const pair = pairs.get(id);
    pairs.delete(id);
    pair?.data?.duplex.destroy();
    pair?.error?.duplex.destroy();
  }

  return connection;
}

async function forward(
  data: Duplex,
  error: Duplex,
  { port, connect, clock }: { readonly port: number; readonly connect: ConnectPort; readonly clock: Clock },
): Promise<void> {
  error.resume();
  let pod: Duplex | undefined;
  try {
    pod = await connect(port);
    pod.on('error', () => undefined);
    const [fromPod, toPod] = [pipeline(pod, data), pipeline(data, pod)];
    await Promise.race([fromPod, toPod.then(() => fromPod)]);
    await Promise.race([toPod.catch(() => undefined), sleep(clock, lingerMs)]);
  } catch (cause) {
    if (!error.destroyed && error.writable)
      error.write(
        `an error occurred forwarding to port ${port}: ${cause instanceof Error ? cause.message : String(cause)}`,
      );
  } finally {
    error.end();
    if (!data.writableEnded) data.end();
    pod?.destroy();
  }
}
