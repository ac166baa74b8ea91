import { pipeline } from 'node:stream/promises';
import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import type { ConnectPort } from './port-forward.ts';

/** Subprotocols of the older port-forward over WebSocket: a data and an error channel for each port of the query. */
export const webSocketPortForwardProtocols: readonly string[] = [
  'v4.channel.k8s.io',
  'v4.base64.channel.k8s.io',
];

/** Serves the ports that a client named in its query, one connection each, until the socket closes. */
export function serveWebSocketPortForward(
  socket: WebSocket,
  { ports, connect }: { readonly ports: readonly number[]; readonly connect: ConnectPort },
): void {
  const base64 = socket.protocol.includes('base64');
  const send = (channel: number, bytes: Buffer): void => {
    if (socket.readyState === socket.OPEN)
      socket.send(
        base64
          ? `${String.fromCharCode(48 + channel)}${bytes.toString('base64')}`
          : Buffer.concat([Buffer.from([channel]), bytes]),
      );
  };
  const ends = ports.map((port, at) => {
    const data = new Duplex({
      read: () => undefined,
      write(chunk: Buffer, _encoding, done) {
        send(at * 2, chunk);
        done();
      },
    });
    data.on('error', () => undefined);
    const number = Buffer.alloc(2);
    number.writeUInt16LE(port);
    send(at * 2, number);
    send(at * 2 + 1, number);
    void join(data, port, (message) => send(at * 2 + 1, Buffer.from(message)));
    return data;
  });
  socket.on('message', (message: Buffer) => {
    const channel = base64 ? (message[0] ?? 48) - 48 : (message[0] ?? 0);
    const bytes = base64 ? Buffer.from(message.toString('latin1', 1), 'base64') : message.subarray(1);
    if (channel % 2 === 0) ends[channel / 2]?.push(bytes);
  });
  socket.on('close', () => {
    for (const data of ends) data.destroy();
  });
  socket.on('error', () => socket.terminate());

  async function join(data: Duplex, port: number, fail: (message: string) => void): Promise<void> {
    try {
      const pod = await connect(port);
      await Promise.all([pipeline(data, pod), pipeline(pod, data)]);
    } catch (error) {
      if (!data.destroyed)
        fail(
          `an error occurred forwarding to port ${port}: ${error instanceof Error ? error.message : String(error)}`,
        );
    }
  }
}
