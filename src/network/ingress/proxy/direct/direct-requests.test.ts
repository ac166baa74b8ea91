import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { UpstreamEndpoint } from '../proxy-configuration.ts';
import { call, startProxyLab, type ProxyLab } from '../proxy-lab.ts';

let lab: ProxyLab;
const sockets = new Set<Socket>();
beforeEach(async () => {
  lab = await startProxyLab();
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await lab.close();
});

/** A server that answers each request (its text up to the empty line) with what it is told. */
async function raw(answer: (head: string, socket: Socket, count: number) => void): Promise<UpstreamEndpoint> {
  let count = 0;
  return await lab.adopt(
    createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      let seen = '';
      socket.on('data', (bytes: Buffer) => {
        seen += bytes.toString('latin1');
        for (let end = seen.indexOf('\r\n\r\n'); end >= 0; end = seen.indexOf('\r\n\r\n')) {
          const head = seen.slice(0, end);
          const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
          if (seen.length < end + 4 + length) return;
          const request = seen.slice(0, end + 4 + length);
          seen = seen.slice(request.length);
          answer(request, socket, (count += 1));
        }
      });
    }),
  );
}

const ok = (body: string): string => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/** A client that sees bytes as they are. */
async function client(port: number): Promise<{
  send(text: string): void;
  /** What came, once it matches. */
  until(pattern: RegExp): Promise<string>;
  /** All that came until the end. */
  end(): Promise<string>;
}> {
  const socket = connect(port, '127.0.0.1');
  sockets.add(socket);
  await once(socket, 'connect');
  let text = '';
  let heard = (): void => {};
  let over = false;
  socket.on('error', () => {});
  socket.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
    heard();
  });
  socket.on('close', () => {
    over = true;
    heard();
  });
  const wait = async (done: () => boolean): Promise<string> => {
    for (;;) {
      if (done() || over) return text;
      await new Promise<void>((resolve) => (heard = resolve));
    }
  };
  return {
    send: (part) => void socket.write(part, 'latin1'),
    until: (pattern) => wait(() => pattern.test(text)),
    end: () => wait(() => false),
  };
}

describe('an answer', () => {
  it.each<[string, string]>([
    [
      'a length beside chunks',
      'Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
    ],
    ['two lengths', 'Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc'],
    ['an odd coding', 'Transfer-Encoding: gzip\r\n\r\nabc'],
    ['bare line feeds', 'A: b\nContent-Length: 3\r\n\r\nabc'],
    ['no end of its head', 'A: b\r\n'.repeat(20_000)],
  ])('is not handed on with %s', async (_, rest) => {
    await lab.upstream('web', [await raw((__, socket) => socket.write(`HTTP/1.1 200 OK\r\n${rest}`))]);
    expect((await call(await lab.serve([{}]))).status).toBe(502);
  });

  it('that switches protocols unasked is not handed on', async () => {
    await lab.upstream('web', [
      await raw((_, socket) => socket.write('HTTP/1.1 101 Hi\r\nUpgrade: x\r\n\r\n')),
    ]);
    expect((await call(await lab.serve([{}]))).status).toBe(502);
  });

  it('breaks off where its chunks are none', async () => {
    const text = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n';
    await lab.upstream('web', [await raw((_, socket) => socket.write(text))]);
    await expect(call(await lab.serve([{}]))).rejects.toThrow(/aborted|hang up|reset/i);
  });

  it('never gets what was sent behind another', async () => {
    const evil = await raw((_, socket, count) =>
      socket.write(`${ok(`first ${count}`)}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`),
    );
    await lab.upstream('web', [evil]);
    const own = await client(await lab.serve([{}]));
    for (const count of [1, 2, 3]) {
      own.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      expect(await own.until(new RegExp(`first ${count}$`))).not.toContain('evil');
    }
  });

  it('never gets what an idle connection says', async () => {
    const evil = await raw((_, socket, count) => {
      socket.write(ok(`first ${count}`), () => setImmediate(() => socket.write(ok('evil'))));
    });
    await lab.upstream('web', [evil]);
    const own = await client(await lab.serve([{}]));
    for (const count of [1, 2, 3]) {
      own.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      expect(await own.until(new RegExp(`first ${count}$`))).not.toContain('evil');
    }
  });

  it('has no body where there can be none', async () => {
    const odd = await raw((head, socket) =>
      socket.write(head.startsWith('HEAD') ? 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n' : ok('next')),
    );
    await lab.upstream('web', [odd]);
    const own = await client(await lab.serve([{}]));
    own.send('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await own.until(/\r\n\r\n$/)).toMatch(/content-length: 9/i);
    own.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await own.until(/next$/)).toMatch(/\r\n\r\nHTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nnext$/);
  });

  it('that ends with its connection goes on in chunks', async () => {
    const old = await raw((_, socket) => socket.end('HTTP/1.0 200 Fine\r\nServer: old\r\n\r\nto the end'));
    await lab.upstream('web', [old]);
    const own = await client(await lab.serve([{}]));
    for (let round = 0; round < 2; round++) own.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const text = await own.until(/0\r\n\r\n[^]*0\r\n\r\n$/);
    expect(text).toMatch(/^HTTP\/1\.1 200 Fine\r\nServer: old\r\n[^]*chunked[^]*to the end\r\n0\r\n\r\nHTTP/);
  });

  it('may come after others that are not the last', async () => {
    const early = 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n';
    await lab.upstream('web', [await raw((_, socket) => socket.write(early + ok('last')))]);
    expect(await call(await lab.serve([{}]))).toMatchObject({ status: 200, text: 'last' });
  });

  it('comes whole, however it is cut', async () => {
    const text = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n there\r\n0\r\nX-Sum: 1\r\n\r\n`;
    const slow = await raw((_, socket) => {
      const send = (at: number): void => {
        if (at < text.length) socket.write(text[at] ?? '', () => setImmediate(() => send(at + 1)));
      };
      send(0);
    });
    await lab.upstream('web', [slow]);
    expect(await call(await lab.serve([{}]))).toMatchObject({
      text: 'hello there',
      trailers: { 'x-sum': '1' },
    });
  });
});

describe('a connection', () => {
  it('carries requests one behind the other, and answers in their order', async () => {
    const echo = await raw((request, socket) => socket.write(ok(request.split(' ')[1] ?? '')));
    await lab.upstream('web', [echo]);
    const own = await client(await lab.serve([{}]));
    own.send(['/1', '/2', '/3'].map((path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
    const text = await own.until(/\/3$/);
    expect(text.match(/\/\d$|\/\d(?=HTTP)/g)).toEqual(['/1', '/2', '/3']);
  });

  it('has bodies that are no requests', async () => {
    const echo = await raw((request, socket) => socket.write(ok(`[${request.split('\r\n\r\n')[1]}]`)));
    await lab.upstream('web', [echo]);
    const own = await client(await lab.serve([{}]));
    const smuggled = 'GET /admin HTTP/1.1';
    own.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${smuggled.length}\r\n\r\n`);
    own.send(`${smuggled}GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi`);
    expect(await own.until(/\[hi\]$/)).toMatch(/\[GET \/admin HTTP\/1\.1\]HTTP[^]*\[hi\]$/);
  });

  it.each<[string, string, RegExp]>([
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello',
      /400/,
    ],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      /400/,
    ],
    ['two hosts', 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n', /400/],
    ['a folded line', 'GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n', /400/],
    ['a long head', `GET / HTTP/1.1\r\nHost: a\r\nA: ${'b'.repeat(20_000)}\r\n\r\n`, /431/],
  ])('is closed at a request with %s, after a good one', async (_, text, status) => {
    let asked = 0;
    await lab.upstream('web', [await raw((__, socket) => socket.write(ok(`good ${(asked += 1)}`)))]);
    const own = await client(await lab.serve([{}]));
    own.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await own.until(/good 1$/);
    own.send(text);
    expect((await own.end()).split('good 1')[1]).toMatch(status);
    expect(asked).toBe(1);
  });

  it('goes on with requests of all kinds', async () => {
    const backend = await lab.backend((incoming, outgoing) => {
      let body = '';
      incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
      incoming.on('end', () => outgoing.end(`<${incoming.method} ${body}>`));
    });
    await lab.upstream('web', [backend]);
    const own = await client(await lab.serve([{}]));
    own.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await own.until(/<GET >/);
    own.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n');
    await own.until(/<POST abc>/);
    own.send('PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx');
    expect(await own.end()).toMatch(/<GET >[^]*<POST abc>[^]*<PUT x>/);
  });

  it('is good for the next request when an answer came before the body was there', async () => {
    const early = await raw(() => {});
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {});
      socket.once('data', () => socket.write(ok('early')));
    });
    const eager = await lab.adopt(server);
    await lab.upstream('silent', [early]);
    await lab.upstream('web', [eager]);
    const own = await client(await lab.serve([{}]));
    own.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nhalf');
    await own.until(/early$/);
    own.send('rest');
    own.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    expect(await own.until(/early[^]*early$/)).toMatch(/early[^]*early$/);
  });

  it('comes byte by byte', async () => {
    await lab.upstream('web', [
      await raw((request, socket) => socket.write(ok(request.split(' ')[0] ?? ''))),
    ]);
    const own = await client(await lab.serve([{}]));
    for (const byte of 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc') {
      own.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await own.until(/PUT$/)).toMatch(/PUT$/);
  });
});

describe('an endpoint', () => {
  it('that closed a kept connection is asked over a new one', async () => {
    let connections = 0;
    const server = createServer((socket) => {
      sockets.add(socket);
      connections += 1;
      socket.on('error', () => {});
      let heard = 0;
      socket.on('data', () => {
        heard += 1;
        if (heard === 1) socket.write(ok('kept'));
        else socket.destroy();
      });
    });
    await lab.upstream('web', [await lab.adopt(server)]);
    const port = await lab.serve([{}]);
    for (let round = 0; round < 3; round++) expect((await call(port)).text).toBe('kept');
    expect(connections).toBe(3);
    expect((await call(port, { method: 'POST', body: 'x' })).status).toBe(502);
  });

  it('that is gone with the client hears no more', async () => {
    let closed: (text: string) => void = () => {};
    const gone = new Promise<string>((resolve) => (closed = resolve));
    await lab.upstream('web', [await raw((_, socket) => void socket.once('close', () => closed('closed')))]);
    const port = await lab.serve([{}]);
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n', () => setTimeout(() => socket.destroy(), 20));
    expect(await gone).toBe('closed');
  });

  it('that sends faster than the client reads is held back', async () => {
    let sent = 0;
    const fast = await raw((_, socket) => {
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${64 * 1024 * 1024}\r\n\r\n`);
      const chunk = Buffer.alloc(1024 * 1024, 'x');
      const send = (): void => {
        while (sent < 64) {
          sent += 1;
          if (!socket.write(chunk)) {
            socket.once('drain', send);
            return;
          }
        }
      };
      send();
    });
    await lab.upstream('web', [fast]);
    const socket = connect(await lab.serve([{}]), '127.0.0.1');
    sockets.add(socket);
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    socket.pause();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(sent).toBeLessThan(48);
    let got = 0;
    socket.on('data', (bytes: Buffer) => (got += bytes.length));
    socket.resume();
    await once(socket, 'close');
    expect(got).toBeGreaterThan(64 * 1024 * 1024);
  });
});

it('what a filter makes of a request or answer stays one request or answer', async () => {
  let asked = 0;
  await lab.upstream('web', [await raw((_, socket) => socket.write(ok(String((asked += 1)))))]);
  const change = {
    set: [{ name: 'x', value: 'a\r\n\r\nGET /admin HTTP/1.1\r\nHost: a' }],
    add: [],
    remove: [],
  };
  expect((await call(await lab.serve([{ filters: { requestHeaders: change } }]))).status).toBe(500);
  expect(asked).toBe(0);
  expect((await call(await lab.serve([{ filters: { responseHeaders: change } }]))).status).toBe(502);
  const path = { kind: 'full', value: '/ HTTP/1.1\r\nHost: b\r\n\r\n' } as const;
  expect((await call(await lab.serve([{ filters: { rewrite: { path } } }]))).status).toBe(500);
});
