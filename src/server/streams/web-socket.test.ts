import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { StatusError } from '../../machinery/status-error.ts';
import { NodeTunnel } from './node-tunnel.ts';

const opened: { close(): void }[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one.close();
});

async function listening(server: Server): Promise<number> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  opened.push(server);
  return (server.address() as AddressInfo).port;
}

/** The address of a server that hands a node's log to those who ask for it over WebSocket. */
async function relayOf(log: { readonly code: number; readonly text: string }): Promise<string> {
  const port = await listening(
    createServer((_, response) => void response.writeHead(log.code).end(log.text)),
  );
  const tunnel = new NodeTunnel({});
  opened.push(tunnel);
  const front = createServer();
  front.on('upgrade', (request, socket, head) => {
    const endpoint = { scheme: 'http', host: '127.0.0.1', port } as const;
    const target = { endpoint, path: '/containerLogs', query: new URLSearchParams() };
    tunnel.relayAsMessages({ request, socket, head }, target).catch((error: unknown) => {
      const code = error instanceof StatusError ? error.status.code : 500;
      socket.end(`HTTP/1.1 ${code} Refused\r\nConnection: close\r\n\r\n`);
    });
  });
  return `ws://127.0.0.1:${await listening(front)}/`;
}

/** The messages until the server closes, or why it refused. */
function heard(
  url: string,
  protocols: readonly string[],
): Promise<{ readonly messages: readonly (string | Buffer)[]; readonly code: number } | string> {
  return new Promise((resolve) => {
    const messages: (string | Buffer)[] = [];
    const socket = new WebSocket(url, [...protocols]);
    socket.on('message', (data: Buffer, binary) => messages.push(binary ? data : data.toString()));
    socket.on('close', (code) => resolve({ messages, code }));
    socket.on('error', (error) => resolve(error.message));
  });
}

describe('a log over WebSocket', () => {
  const log = { code: 200, text: 'one\ntwo\n' };

  it.each([
    ['no protocol: binary messages', [], Buffer.from(log.text)],
    ['binary messages', ['binary.k8s.io'], Buffer.from(log.text)],
    ['texts of base64', ['base64.binary.k8s.io'], Buffer.from(log.text).toString('base64')],
  ])('%s, behind an empty one', async (_name, protocols, expected) => {
    const empty = typeof expected === 'string' ? '' : Buffer.alloc(0);
    expect(await heard(await relayOf(log), protocols)).toEqual({ messages: [empty, expected], code: 1000 });
  });

  it('is refused to a client that speaks another protocol', async () => {
    expect(await heard(await relayOf(log), ['v4.channel.k8s.io'])).toBe('Unexpected server response: 400');
  });

  it('is refused as the node refuses it', async () => {
    expect(await heard(await relayOf({ code: 404, text: 'no' }), [])).toBe('Unexpected server response: 404');
  });
});
