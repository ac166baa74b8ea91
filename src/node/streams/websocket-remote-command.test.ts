import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { acceptWebSocketRemote } from './websocket-remote-command.ts';

const outputOnly = { stdin: false, stdout: true, stderr: false, tty: false };

it('sends all output before how the command ended, however slowly the client takes it', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets = new WebSocketServer({ server, handleProtocols: () => 'v5.channel.k8s.io' });
  const size = 8 << 20;
  sockets.on('connection', (socket) => {
    const { stdout, finish } = acceptWebSocketRemote(socket, outputOnly);
    for (let sent = 0; sent < size; sent += 64 << 10) stdout?.write(Buffer.alloc(64 << 10, 7));
    void finish({ status: 'Success' });
  });
  const { port } = server.address() as AddressInfo;
  const client = new WebSocket(`ws://127.0.0.1:${port}`, 'v5.channel.k8s.io');
  const received: Record<number, number> = {};
  client.on('message', (data: Buffer) => {
    const channel = data[0] ?? -1;
    received[channel] = (received[channel] ?? 0) + data.length - 1;
  });
  await once(client, 'close');
  expect(received[1]).toBe(size);
  expect(received[3]).toBeGreaterThan(0);
  sockets.close();
  server.close();
});
