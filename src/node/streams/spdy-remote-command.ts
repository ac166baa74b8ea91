import type { Duplex } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Clock } from '../../base/clock.ts';
import type { RemoteOptions, RemoteStreams } from './remote-command.ts';
import { SpdyConnection } from './spdy/spdy-connection.ts';

/** Versions of the remote command protocol over SPDY, best first. */
export const spdyRemoteProtocols: readonly string[] = [
  'v4.channel.k8s.io',
  'v3.channel.k8s.io',
  'v2.channel.k8s.io',
  'channel.k8s.io',
];

/** A client opens its streams at once; one that does not is not a client of this protocol. */
const openTimeoutMs = 30_000;

interface SpdyRemoteOptions {
  readonly protocol: string;
  readonly options: RemoteOptions;
  readonly clock: Clock;
}

/** Waits for the streams that the client opens for a remote command. Rejects when they do not come. */
export function acceptSpdyRemote(
  socket: Duplex,
  { protocol, options, clock }: SpdyRemoteOptions,
): Promise<RemoteStreams> {
  const gone = new AbortController();
  const hasResize = options.tty && (protocol === 'v4.channel.k8s.io' || protocol === 'v3.channel.k8s.io');
  const expected = [
    'error',
    ...(options.stdin ? ['stdin'] : []),
    ...(options.stdout ? ['stdout'] : []),
    ...(options.stderr ? ['stderr'] : []),
  ];
  if (hasResize) expected.push('resize');
  const streams = new Map<string, Duplex>();
  return new Promise((resolve, reject) => {
    const timer = clock.after(openTimeoutMs, () => {
      connection.destroy();
      reject(new Error('timed out waiting for client to create streams'));
    });
    const connection = new SpdyConnection({
      socket,
      role: 'server',
      onStream({ headers, duplex }) {
        const type = headers.get('streamtype') ?? '';
        if (!expected.includes(type) || streams.has(type)) {
          duplex.destroy();
          return;
        }
        streams.set(type, duplex);
        if (streams.size < expected.length) return;
        timer.cancel();
        resolve(remoteStreams());
      },
      onClose() {
        timer.cancel();
        gone.abort();
        reject(new Error('the client went before the command began'));
      },
    });

    function remoteStreams(): RemoteStreams {
      const error = streams.get('error');
      for (const name of ['stdout', 'stderr', 'error']) streams.get(name)?.resume();
      return {
        stdin: streams.get('stdin'),
        stdout: streams.get('stdout'),
        stderr: streams.get('stderr'),
        gone: gone.signal,
        onResize(listener) {
          const resize = streams.get('resize');
          if (resize) void readSizes(resize, listener);
        },
        async finish(status) {
          const failed = status.status !== 'Success';
          if (protocol === 'v4.channel.k8s.io') error?.write(JSON.stringify(status));
          else if (failed) error?.write(status.message ?? 'failed');
          const outputs = ['stdout', 'stderr', 'error'].map((name) => streams.get(name));
          await Promise.all(
            outputs.map(async (stream) => {
              if (!stream || stream.destroyed) return;
              stream.end();
              await finished(stream, { readable: false }).catch(() => undefined);
            }),
          );
          connection.close();
        },
      };
    }
  });
}

/** Sizes come as JSON objects one after the other: `{"Width":80,"Height":24}`. */
async function readSizes(stream: Duplex, listener: (columns: number, rows: number) => void): Promise<void> {
  let pending = '';
  try {
    for await (const chunk of stream) {
      pending += String(chunk);
      for (let end = pending.indexOf('}'); end >= 0; end = pending.indexOf('}')) {
        applySize(pending.slice(0, end + 1), listener);
        pending = pending.slice(end + 1);
      }
    }
  } catch {
    // The client has gone; whoever runs the command hears of it elsewhere.
  }
}

/** Hands one size on; anything else is ignored, as upstream does. */
export function applySize(text: string, listener: (columns: number, rows: number) => void): void {
  let size: unknown;
  try {
    size = JSON.parse(text);
  } catch {
    return;
  }
  if (typeof size !== 'object' || size === null || !('Width' in size) || !('Height' in size)) return;
  const { Width, Height } = size;
  if (typeof Width === 'number' && typeof Height === 'number' && Width > 0 && Height > 0)
    listener(Width, Height);
}
