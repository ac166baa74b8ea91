import { PassThrough, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { WebSocket } from 'ws';
import type { RemoteStreams, RemoteOptions } from './remote-command.ts';
import { applySize } from './spdy-remote-command.ts';

/** Subprotocols of a remote command over WebSocket, best first. */
export const webSocketRemoteProtocols: readonly string[] = [
  'v5.channel.k8s.io',
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
  'channel.k8s.io',
  'base64.channel.k8s.io',
];

const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** The ends of a remote command over a WebSocket: each message is a channel number and bytes. */
export function acceptWebSocketRemote(socket: WebSocket, options: RemoteOptions): RemoteStreams {
  const base64 = socket.protocol.includes('base64');
  const structured = socket.protocol.startsWith('v4') || socket.protocol.startsWith('v5');
  const gone = new AbortController();
  const stdin = options.stdin ? new PassThrough() : undefined;
  let resized: ((columns: number, rows: number) => void) | undefined;
  let lastSize: string | undefined;

  socket.on('close', () => {
    stdin?.destroy();
    gone.abort();
  });
  socket.on('error', () => socket.terminate());
  socket.on('message', (data: Buffer) => {
    const [channel, bytes] = base64
      ? [Number(String.fromCharCode(data[0] ?? 0)), Buffer.from(data.toString('latin1', 1), 'base64')]
      : [data[0], data.subarray(1)];
    if (channel === channels.stdin && stdin) {
      if (stdin.writable && bytes.length > 0 && !stdin.write(bytes)) {
        socket.pause();
        stdin.once('drain', () => socket.resume());
      }
    } else if (channel === channels.resize) {
      lastSize = bytes.toString();
      if (resized) applySize(lastSize, resized);
    } else if (channel === channels.close && bytes[0] === channels.stdin) {
      stdin?.end();
    }
  });

  const framed = (channel: number, bytes: Buffer): string | Buffer =>
    base64 ? `${channel}${bytes.toString('base64')}` : Buffer.concat([Buffer.from([channel]), bytes]);
  // A message counts as written once the transport has taken it, which is what holds a fast command back.
  const output = (channel: number): Writable =>
    new Writable({
      highWaterMark: 64 << 10,
      write: (chunk: Buffer, _encoding, done) => socket.send(framed(channel, chunk), done),
    });
  const stdout = options.stdout ? output(channels.stdout) : undefined;
  const stderr = options.stderr ? output(channels.stderr) : undefined;
  return {
    stdin,
    stdout,
    stderr,
    gone: gone.signal,
    onResize(listener) {
      resized = listener;
      if (lastSize !== undefined) applySize(lastSize, listener);
    },
    async finish(status) {
      await Promise.all([stdout, stderr].map(written));
      if (socket.readyState !== WebSocket.OPEN) return;
      const failed = status.status !== 'Success';
      const text = structured ? JSON.stringify(status) : failed ? (status.message ?? 'failed') : undefined;
      if (text !== undefined) socket.send(framed(channels.error, Buffer.from(text)));
      socket.close(1000);
    },
  };
}

/** Resolves when all that was written to an output has been sent, or cannot be. */
async function written(output: Writable | undefined): Promise<void> {
  if (!output || output.destroyed) return;
  output.end();
  await finished(output).catch(() => undefined);
}
