import { createServer, createConnection, type AddressInfo, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { servePortForward } from './port-forward.ts';
import { SpdyConnection } from './spdy/spdy-connection.ts';

async function listening(
  onConnection: (socket: Socket) => void,
): Promise<{ readonly connect: () => Promise<Socket>; close(): void }> {
  const server = createServer({ allowHalfOpen: true }, onConnection);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  const connect = (): Promise<Socket> =>
    new Promise((resolve) => {
      const socket = createConnection({ host: '127.0.0.1', port, allowHalfOpen: true }, () =>
        resolve(socket),
      );
    });
  return { connect, close: () => void server.close() };
}

it('ends both streams when the server in the pod has ended, though the client goes on', async () => {
  const pod = await listening((socket) => void socket.end('all there is'));
  const node = await listening((socket) =>
    servePortForward(socket, { connect: () => pod.connect(), clock: systemClock }),
  );
  const client = new SpdyConnection({
    socket: await node.connect(),
    role: 'client',
    onStream: () => undefined,
  });
  const open = (streamtype: string): ReturnType<SpdyConnection['open']> =>
    client.open(new Map(Object.entries({ streamtype, port: '80', requestid: '0' })));
  const [error, data] = [await open('error'), await open('data')];
  expect(await text(data.duplex)).toBe('all there is');
  expect(await text(error.duplex)).toBe('');
  client.destroy();
  for (const one of [pod, node]) one.close();
});
