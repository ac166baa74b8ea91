import { createServer as createHttp2Server, connect as connectHttp2 } from 'node:http2';
import { createServer as createTcpServer, connect as connectTcp } from 'node:net';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Client,
  Metadata,
  Server,
  ServerCredentials,
  credentials,
  status as grpcStatus,
} from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { systemClock } from '../../../base/clock.ts';
import type { Route } from './proxy-configuration.ts';
import { call, startProxyLab, type ProxyLab } from './proxy-lab.ts';

let lab: ProxyLab;
beforeEach(async () => {
  lab = await startProxyLab();
});
afterEach(() => lab.close());

/** Says what it was asked. */
async function echo(name: string): Promise<{ readonly ip: string; readonly port: number }> {
  return await lab.backend((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { headers, method, url } = incoming;
      const body = Buffer.concat(chunks).toString();
      outgoing.setHeader('content-type', 'application/json');
      outgoing.end(JSON.stringify({ name, method, url, headers, body }));
    });
  });
}

const dead = { ip: '127.0.0.1', port: 1 };

describe('a request', () => {
  it('keeps its host and says where it came from', async () => {
    await lab.upstream('web', [await echo('a')]);
    const port = await lab.serve([{}], { publicPort: 80 });
    const answer = await call(port, {
      path: '/x?y=1',
      headers: {
        host: 'shop.example',
        'x-forwarded-for': '192.0.2.7',
        connection: 'x-secret',
        'x-secret': '1',
      },
    });
    const { headers, url } = JSON.parse(answer.text) as { url: string; headers: Record<string, string> };
    expect(url).toBe('/x?y=1');
    expect(headers).toEqual({
      host: 'shop.example',
      connection: 'keep-alive',
      'x-forwarded-for': '192.0.2.7, 127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'shop.example',
      'x-forwarded-port': '80',
    });
  });

  it.each([
    ['of a known length', { 'content-length': '5' }],
    ['in chunks', { 'transfer-encoding': 'chunked' }],
  ])('has a body %s', async (_, headers) => {
    await lab.upstream('web', [await echo('a')]);
    const answer = await call(await lab.serve([{}]), { method: 'DELETE', headers, body: 'hello' });
    expect(JSON.parse(answer.text)).toMatchObject({ method: 'DELETE', body: 'hello' });
  });

  it('streams both ways while it lasts', async () => {
    const backend = await lab.backend((incoming, outgoing) => incoming.pipe(outgoing));
    await lab.upstream('web', [backend]);
    const port = await lab.serve([{}]);
    const outgoing = request({ host: '127.0.0.1', port, method: 'POST' });
    outgoing.write('one');
    const [incoming] = (await once(outgoing, 'response')) as [NodeJS.ReadableStream];
    const heard: string[] = [];
    for await (const chunk of incoming) {
      heard.push(String(chunk));
      if (heard.length === 1) outgoing.end('two');
    }
    expect(heard).toEqual(['one', 'two']);
  });

  it('is held back when the endpoint does not read', async () => {
    let resume = (): void => {};
    const backend = await lab.backend((incoming, outgoing) => {
      incoming.pause();
      resume = () => {
        incoming.resume();
        incoming.on('end', () => outgoing.end('done'));
      };
    });
    await lab.upstream('web', [backend]);
    const outgoing = request({ host: '127.0.0.1', port: await lab.serve([{}]), method: 'POST' });
    const chunk = Buffer.alloc(1024 * 1024);
    const drained = async (): Promise<boolean> =>
      await Promise.race([
        once(outgoing, 'drain').then(() => true),
        new Promise<boolean>((resolve) => systemClock.after(200, () => resolve(false))),
      ]);
    let written = 1;
    while (written < 200 && (outgoing.write(chunk) || (await drained()))) written += 1;
    expect(written).toBeLessThan(100);
    resume();
    outgoing.end();
    const [incoming] = (await once(outgoing, 'response')) as [NodeJS.ReadableStream];
    incoming.resume();
    await once(incoming, 'end');
  });

  it('carries trailers', async () => {
    const backend = await lab.backend((_, outgoing) => {
      outgoing.writeHead(200, { trailer: 'x-sum' });
      outgoing.write('body');
      outgoing.addTrailers({ 'x-sum': '42' });
      outgoing.end();
    });
    await lab.upstream('web', [backend]);
    expect((await call(await lab.serve([{}]))).trailers).toEqual({ 'x-sum': '42' });
  });

  it('keeps fields that come more than once apart', async () => {
    const backend = await lab.backend((_, outgoing) =>
      outgoing.writeHead(200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']).end(),
    );
    await lab.upstream('web', [backend]);
    const port = await lab.serve([{}]);
    expect((await call(port)).headers['set-cookie']).toEqual(['a=1', 'b=2']);
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    const [headers] = (await once(session.request({ ':path': '/' }), 'response')) as [
      Record<string, unknown>,
    ];
    expect(headers['set-cookie']).toEqual(['a=1', 'b=2']);
    session.close();
  });

  it.each([
    ['two lengths', 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['an odd coding', 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['no host', 'GET / HTTP/1.1\r\n\r\n'],
    ['an odd host', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n'],
    ['two hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
    ['a space before the colon', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n'],
    [
      'bare line feeds in a chunk',
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\nx\n0\n\n',
    ],
  ])('is refused with %s', async (_, text) => {
    let asked = 0;
    const backend = await lab.backend((incoming, outgoing) => {
      incoming.resume();
      incoming.on('end', () => (asked += 1));
      outgoing.end();
    });
    await lab.upstream('web', [backend]);
    const socket = connectTcp(await lab.serve([{}]), '127.0.0.1');
    socket.end(text);
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1\.1 400 /);
    expect(asked).toBe(0);
  });
});

describe('endpoints', () => {
  it('take turns', async () => {
    await lab.upstream('web', [await echo('a'), await echo('b')]);
    const port = await lab.serve([{}]);
    const names: string[] = [];
    for (let round = 0; round < 4; round++)
      names.push((JSON.parse((await call(port)).text) as { name: string }).name);
    expect(names).toEqual(['a', 'b', 'a', 'b']);
  });

  it('that accept no connection are passed over, with the body', async () => {
    await lab.upstream('web', [dead, await echo('alive')]);
    const port = await lab.serve([{}]);
    for (let round = 0; round < 3; round++) {
      const answer = await call(port, { method: 'POST', body: 'once' });
      expect(JSON.parse(answer.text)).toMatchObject({ name: 'alive', body: 'once' });
    }
  });

  it('are asked only once when they have heard of the request', async () => {
    let asked = 0;
    const breaks = await lab.backend((incoming) => {
      asked += 1;
      incoming.socket.destroy();
    });
    await lab.upstream('web', [breaks, await echo('b')]);
    const answer = await call(await lab.serve([{}]), { method: 'POST', body: 'x' });
    expect(answer.status).toBe(502);
    expect(asked).toBe(1);
  });

  it.each<[string, readonly { ip: string; port: number }[], number]>([
    ['none', [], 503],
    ['only dead ones', [dead], 502],
  ])('%s', async (_, endpoints, status) => {
    await lab.upstream('web', endpoints);
    expect((await call(await lab.serve([{}]))).status).toBe(status);
  });

  it('that leave answer what they have begun', async () => {
    let finish = (): void => {};
    const old = await lab.backend((_, outgoing) => {
      outgoing.write('begun ');
      finish = () => void outgoing.end('ended');
    });
    await lab.upstream('web', [old]);
    const port = await lab.serve([{}]);
    const outgoing = request({ host: '127.0.0.1', port });
    outgoing.end();
    const [incoming] = (await once(outgoing, 'response')) as [NodeJS.ReadableStream];
    await lab.upstream('web', [await echo('new')]);
    await lab.serve([{ match: { method: 'GET' } }]);
    expect(JSON.parse((await call(port)).text)).toMatchObject({ name: 'new' });
    finish();
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toBe('begun ended');
  });

  it('that break off are seen to break off', async () => {
    const breaks = await lab.backend((_, outgoing) => {
      outgoing.writeHead(200, { 'content-length': '10' });
      outgoing.write('half', () => outgoing.destroy());
    });
    await lab.upstream('web', [breaks]);
    await expect(call(await lab.serve([{}]))).rejects.toThrow(/aborted|hang up|reset/i);
  });
});

it('spreads requests by weight', async () => {
  await lab.upstream('a', [await echo('a')]);
  await lab.upstream('b', [await echo('b')]);
  const port = await lab.serve([
    {
      backends: [
        { upstream: 'a', weight: 3 },
        { upstream: 'b', weight: 1 },
        { upstream: 'c', weight: 0 },
      ],
    },
  ]);
  const names: string[] = [];
  for (let round = 0; round < 8; round++)
    names.push((JSON.parse((await call(port)).text) as { name: string }).name);
  expect(names.filter((name) => name === 'b')).toHaveLength(2);
});

it('survives a filter that makes no header field', async () => {
  await lab.upstream('web', [await echo('a')]);
  const broken = { set: [{ name: 'x', value: 'a\r\nb: c' }], add: [], remove: [] };
  const cors = {
    allowOrigins: [],
    allowMethods: [],
    allowHeaders: [],
    exposeHeaders: [],
    allowCredentials: false,
    maxAgeSeconds: 1,
  };
  const status = async (filters: Partial<Route>['filters']): Promise<number> =>
    (await call(await lab.serve([{ filters: filters ?? {} }]), { path: '/x' })).status;
  expect(await status({ cors, requestHeaders: broken })).toBe(500);
  expect(await status({ cors, responseHeaders: broken })).toBe(502);
  expect(await status({ cors, rewrite: { path: { kind: 'full', value: '/a b' } } })).toBe(500);
  expect(await status({ redirect: { status: 302, path: { kind: 'full', value: '/\r\n' } } })).toBe(500);
  expect(await status({ cors })).toBe(200);
});

it('answers 500 for a backend that does not exist, 404 without a route', async () => {
  const port = await lab.serve([
    { backends: [{ weight: 1 }], match: { path: { kind: 'exact', value: '/x' } } },
  ]);
  expect((await call(port, { path: '/x' })).status).toBe(500);
  expect((await call(port, { path: '/y' })).status).toBe(404);
});

describe('time', () => {
  it.each(['requestTimeoutMs', 'backendTimeoutMs'])('is up: %s', async (name) => {
    let gone = (): void => {};
    const aborted = new Promise<void>((resolve) => (gone = resolve));
    const slow = await lab.backend((_, outgoing) => void outgoing.on('close', gone));
    await lab.upstream('web', [slow]);
    const answer = await call(await lab.serve([{ [name]: 50 }]));
    expect(answer.status).toBe(504);
    await aborted;
  });
});

describe('filters', () => {
  it('change headers of requests and answers', async () => {
    await lab.upstream('web', [await echo('a')]);
    const port = await lab.serve([
      {
        filters: {
          requestHeaders: {
            set: [{ name: 'X-Set', value: 'new' }],
            add: [{ name: 'x-add', value: 'more' }],
            remove: ['x-gone'],
          },
          responseHeaders: { set: [{ name: 'x-answer', value: '1' }], add: [], remove: ['content-type'] },
        },
      },
    ]);
    const answer = await call(port, { headers: { 'x-set': 'old', 'x-add': 'first', 'x-gone': '1' } });
    const { headers } = JSON.parse(answer.text) as { headers: Record<string, string> };
    expect(headers).toMatchObject({ 'x-set': 'new', 'x-add': 'first,more' });
    expect(headers['x-gone']).toBeUndefined();
    expect(answer.headers).toMatchObject({ 'x-answer': '1' });
    expect(answer.headers['content-type']).toBeUndefined();
  });

  it.each<[string, object, string]>([
    ['a scheme', { scheme: 'https' }, 'https://shop.example/old/page?q'],
    ['a scheme and a port', { scheme: 'https', port: 8443 }, 'https://shop.example:8443/old/page?q'],
    ['a host', { hostname: 'other.example' }, 'http://other.example:8000/old/page?q'],
    ['a full path', { path: { kind: 'full', value: '/all' } }, 'http://shop.example:8000/all?q'],
    ['a prefix', { path: { kind: 'prefix', value: '/new' } }, 'http://shop.example:8000/new/page?q'],
    ['no prefix', { path: { kind: 'prefix', value: '/' } }, 'http://shop.example:8000/page?q'],
  ])('redirect to %s', async (_, redirect, location) => {
    const port = await lab.serve(
      [
        {
          match: { path: { kind: 'prefix', value: '/old' } },
          filters: { redirect: { status: 301, ...redirect } },
        },
      ],
      { publicPort: 8000 },
    );
    const answer = await call(port, { path: '/old/page?q', headers: { host: 'shop.example:8000' } });
    expect(answer.status).toBe(301);
    expect(answer.headers.location).toBe(location);
  });

  it('rewrite host and path', async () => {
    await lab.upstream('web', [await echo('a')]);
    const rewrite = { hostname: 'inside', path: { kind: 'prefix', value: '/v2' } } as const;
    const port = await lab.serve([
      { match: { path: { kind: 'prefix', value: '/api/' } }, filters: { rewrite } },
    ]);
    const { headers, url } = JSON.parse((await call(port, { path: '/api/x?a' })).text) as {
      url: string;
      headers: Record<string, string>;
    };
    expect([url, headers['host']]).toEqual(['/v2/x?a', 'inside']);
  });

  it('mirror requests with their bodies and ignore what comes back', async () => {
    const seen: string[] = [];
    let heard = (): void => {};
    const mirrored = new Promise<void>((resolve) => (heard = resolve));
    const mirror = await lab.backend((incoming, outgoing) => {
      incoming.on('data', (chunk: Buffer) => seen.push(chunk.toString()));
      incoming.on('end', () => {
        heard();
        outgoing.writeHead(500).end();
      });
    });
    await lab.upstream('web', [await echo('a')]);
    await lab.upstream('shadow', [mirror]);
    await lab.upstream('lost', [dead]);
    const mirrors = ['shadow', 'lost'].map((upstream) => ({ upstream, share: 1 }));
    const answer = await call(await lab.serve([{ filters: { mirrors } }]), { method: 'POST', body: 'copy' });
    expect(JSON.parse(answer.text)).toMatchObject({ name: 'a', body: 'copy' });
    await mirrored;
    expect(seen.join('')).toBe('copy');
  });

  it('answer pages of other origins', async () => {
    await lab.upstream('web', [await echo('a')]);
    const cors = {
      allowOrigins: ['https://*.example'],
      allowMethods: ['GET', 'PUT'],
      allowHeaders: ['x-one'],
      exposeHeaders: ['x-two'],
      allowCredentials: false,
      maxAgeSeconds: 5,
    };
    const port = await lab.serve([{ filters: { cors } }]);
    const origin = 'https://a.example';
    const preflight = await call(port, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'PUT' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers).toMatchObject({
      'access-control-allow-origin': origin,
      'access-control-allow-methods': 'GET, PUT',
      'access-control-allow-headers': 'x-one',
      'access-control-max-age': '5',
    });
    const allowed = await call(port, { headers: { origin } });
    expect(allowed.headers['access-control-allow-origin']).toBe(origin);
    expect(
      (await call(port, { headers: { origin: 'https://evil' } })).headers['access-control-allow-origin'],
    ).toBeUndefined();
  });
});

describe('other protocols', () => {
  it('WebSocket goes through, and a refusal too', async () => {
    const server = new WebSocketServer({ noServer: true });
    server.on('connection', (socket, incoming) => {
      socket.send(`${incoming.url} ${incoming.headers.host}`);
      socket.on('message', (text: Buffer) => socket.send(`echo ${text.toString()}`));
    });
    const backend = await lab.backend((_, outgoing) => outgoing.writeHead(403).end('no'));
    const http = (await import('node:http')).createServer((_, outgoing) => outgoing.writeHead(403).end('no'));
    http.on('upgrade', (incoming, socket, head) =>
      server.handleUpgrade(incoming, socket, head, (accepted) =>
        server.emit('connection', accepted, incoming),
      ),
    );
    await lab.upstream('web', [dead, await lab.adopt(http)]);
    await lab.upstream('never', [backend]);
    const port = await lab.serve([
      { match: { path: { kind: 'exact', value: '/no' } }, backends: [{ upstream: 'never', weight: 1 }] },
      {},
    ]);
    const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`);
    const [hello] = (await once(socket, 'message')) as [Buffer];
    expect(String(hello)).toBe(`/chat 127.0.0.1:${port}`);
    socket.send('hi');
    const [answer] = (await once(socket, 'message')) as [Buffer];
    expect(String(answer)).toBe('echo hi');
    socket.close();
    await once(socket, 'close');
    const refused = new WebSocket(`ws://127.0.0.1:${port}/no`);
    const [error] = (await once(refused, 'error')) as [Error];
    expect(error.message).toContain('403');
    server.close();
  });

  it('the last words of a switched connection arrive, and a switch has its time', async () => {
    const size = 3_000_000;
    const http = (await import('node:http')).createServer();
    http.on('upgrade', (incoming, socket) => {
      if (incoming.url === '/never') return;
      socket.on('error', () => {});
      socket.write(
        'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: talk\r\nX-Gone: 1\r\n\r\n',
      );
      socket.end(Buffer.alloc(size, 'x'));
    });
    await lab.upstream('web', [await lab.adopt(http)]);
    const responseHeaders = { set: [{ name: 'x-set', value: '1' }], add: [], remove: ['x-gone'] };
    const port = await lab.serve([{ requestTimeoutMs: 100, filters: { responseHeaders } }]);
    const ask = async (path: string): Promise<string> => {
      const socket = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true });
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: talk\r\n\r\n`);
      const chunks: Buffer[] = [];
      await new Promise((resolve) => systemClock.after(50, () => resolve(undefined)));
      for await (const chunk of socket) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks).toString('latin1');
    };
    const [head = '', body = ''] = (await ask('/')).split('\r\n\r\n');
    expect(body.length).toBe(size);
    expect(head).toMatch(/^HTTP\/1\.1 101 .*\r\n[^]*x-set: 1$/);
    expect(head).not.toContain('X-Gone');
    expect(await ask('/never')).toMatch(/^HTTP\/1\.1 504 /);
  });

  it('HTTP/2 by prior knowledge, to HTTP/1.1 and HTTP/2 behind', async () => {
    const h2 = createHttp2Server((incoming, outgoing) => {
      outgoing.end(
        `h2 ${incoming.httpVersion} ${incoming.authority} ${String(incoming.headers['x-forwarded-for'])}`,
      );
    });
    await lab.upstream('web', [await lab.adopt(h2)], 'h2c');
    const port = await lab.serve([{}]);
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    const stream = session.request({ ':path': '/', ':authority': 'shop.example' });
    stream.setEncoding('utf8');
    let text = '';
    for await (const chunk of stream) text += chunk as string;
    expect(text).toBe('h2 2.0 shop.example 127.0.0.1');
    session.close();
    expect((await call(port, { headers: { host: 'one.example' } })).text).toBe(
      'h2 2.0 one.example 127.0.0.1',
    );
  });

  it('an offer of h2c is answered over HTTP/1.1', async () => {
    await lab.upstream('web', [await echo('a')]);
    const answer = await call(await lab.serve([{}]), {
      headers: { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': 'AAMAAABkAAQ' },
    });
    expect(answer.status).toBe(200);
    expect((JSON.parse(answer.text) as { headers: object }).headers).not.toHaveProperty('upgrade');
  });

  it('gRPC: calls, streams, errors and a missing backend', async () => {
    const server = new Server();
    const raw = (bytes: Buffer): Buffer => bytes;
    const shape = (path: string, stream: boolean) => ({
      path,
      requestStream: stream,
      responseStream: stream,
      requestSerialize: raw,
      requestDeserialize: raw,
      responseSerialize: raw,
      responseDeserialize: raw,
    });
    server.addService(
      { say: shape('/echo.Echo/Say', false), chat: shape('/echo.Echo/Chat', true) },
      {
        say: (asked: { request: Buffer }, done: (error: object | null, value?: Buffer) => void) => {
          if (asked.request.toString() === 'fail')
            done({ code: grpcStatus.FAILED_PRECONDITION, details: 'not now' });
          else done(null, Buffer.from(`said ${asked.request.toString()}`));
        },
        chat: (stream: NodeJS.ReadWriteStream) => {
          stream.on('data', (chunk: Buffer) => stream.write(Buffer.from(`heard ${chunk.toString()}`)));
          stream.on('end', () => stream.end());
        },
      },
    );
    const backendPort = await new Promise<number>((resolve, reject) =>
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      ),
    );
    await lab.upstream('web', [dead, { ip: '127.0.0.1', port: backendPort }], 'h2c');
    await lab.upstream('empty', [], 'h2c');
    const port = await lab.serve([
      {
        match: { path: { kind: 'prefix', value: '/empty.Service' } },
        backends: [{ upstream: 'empty', weight: 1 }],
      },
      { match: { path: { kind: 'prefix', value: '/echo.Echo' } } },
    ]);
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    const say = (path: string, text: string): Promise<string> =>
      new Promise((resolve) => {
        client.makeUnaryRequest(path, raw, raw, Buffer.from(text), new Metadata(), (error, value) =>
          resolve(error ? `${error.code} ${error.details}` : String(value)),
        );
      });
    expect(await say('/echo.Echo/Say', 'hi')).toBe('said hi');
    expect(await say('/echo.Echo/Say', 'fail')).toBe('9 not now');
    expect(await say('/empty.Service/X', '')).toBe('14 the service has no endpoints');
    expect(await say('/none.Service/X', '')).toBe('12 no route matches the request');
    const chat = client.makeBidiStreamRequest('/echo.Echo/Chat', raw, raw);
    chat.write(Buffer.from('one'));
    const [first] = (await once(chat, 'data')) as [Buffer];
    chat.write(Buffer.from('two'));
    const [second] = (await once(chat, 'data')) as [Buffer];
    chat.end();
    const [end] = (await once(chat, 'status')) as [{ code: number }];
    expect([String(first), String(second), end.code]).toEqual(['heard one', 'heard two', 0]);
    client.close();
    server.forceShutdown();
  });
});

it('says what it does', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ingress-'));
  const own = await startProxyLab({
    accessLog: { file: join(folder, 'access.log'), maxBytes: 1e6, maxBackups: 2 },
  });
  await own.upstream('web', [dead]);
  const port = await own.serve([{ name: 'Ingress/default/web' }]);
  await call(port, { path: '/a?b', headers: { host: 'h', 'user-agent': 'test' } });
  const page = await call(own.metricsPort, { path: '/metrics' });
  expect(page.text).toContain(
    'kanoe_ingress_requests_total{route="Ingress/default/web",code="502",protocol="HTTP/1.1"} 1',
  );
  await own.close();
  expect(JSON.parse(readFileSync(join(folder, 'access.log'), 'utf8'))).toMatchObject({
    client: '127.0.0.1',
    method: 'GET',
    host: 'h',
    path: '/a?b',
    status: 502,
    route: 'Ingress/default/web',
    endpoint: '127.0.0.1:1',
    userAgent: 'test',
  });
  rmSync(folder, { recursive: true });
});

it('says which port cannot be had, and takes the next', async () => {
  const taken = await lab.adopt(createTcpServer());
  const port = await lab.serve([{}], { ports: [taken.port, 0] });
  expect(port).not.toBe(taken.port);
  await expect(lab.serve([{}], { name: 'other', ports: [taken.port] })).rejects.toThrow('EADDRINUSE');
});
