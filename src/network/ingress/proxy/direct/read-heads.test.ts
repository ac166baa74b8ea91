import { describe, expect, it } from 'vitest';
import { createChunkScanner } from './chunk-scanner.ts';
import { createFieldMeanings } from './field-meaning.ts';
import { readRequestHead } from './read-request-head.ts';
import { readResponseHead } from './read-response-head.ts';

const meaningOf = createFieldMeanings();
const requestOf = (...lines: readonly string[]): ReturnType<typeof readRequestHead> =>
  readRequestHead(`${lines.join('\r\n')}\r\n\r\n`, meaningOf);
const get = 'GET /a?b HTTP/1.1';
const host = 'Host: shop.example';

describe('the head of a request', () => {
  it('keeps what is to be handed on as it came', () => {
    const lines = [
      'Accept: */*',
      host,
      'X-Forwarded-For: 192.0.2.1',
      'Cookie: a=1',
      'Connection: Keep-Alive',
      'x-forwarded-for:192.0.2.2',
      'X-FORWARDED-PROTO: gopher',
      'User-Agent: \ttest ',
      'Content-Length: 12',
      'Empty:',
    ];
    expect(requestOf('POST /a HTTP/1.1', ...lines)).toEqual({
      method: 'POST',
      target: '/a',
      authority: 'shop.example',
      fields: 'Accept: */*\r\nCookie: a=1\r\nUser-Agent: \ttest \r\nContent-Length: 12\r\nEmpty:\r\n',
      forwardedFor: '192.0.2.1, 192.0.2.2',
      userAgent: 'test',
      length: 12,
      saysLength: true,
      keepAlive: true,
    });
  });

  it.each<[string, readonly string[]]>([
    ['no host', [get]],
    ['an empty host', [get, 'Host: ']],
    ['two hosts', [get, host, host]],
    ['a host that is none', [get, 'Host: a b']],
    ['a host with a path', [get, 'Host: a/b']],
    ['a host with a user', [get, 'Host: a@b']],
    ['two lengths', [get, host, 'Content-Length: 5', 'Content-Length: 5']],
    ['a list of lengths', [get, host, 'Content-Length: 5, 5']],
    ['a signed length', [get, host, 'Content-Length: +5']],
    ['a hexadecimal length', [get, host, 'Content-Length: 0x5']],
    ['an endless length', [get, host, `Content-Length: ${'9'.repeat(16)}`]],
    ['no length', [get, host, 'Content-Length:']],
    ['a transfer coding', [get, host, 'Transfer-Encoding: chunked']],
    ['a transfer coding that is hidden', [get, host, 'Transfer-Encoding:\tchunked', 'Content-Length: 3']],
    ['an upgrade', [get, host, 'Upgrade: websocket', 'Connection: Upgrade']],
    ['fields of the connection', [get, host, 'Connection: close, x-secret']],
    ['an expectation', [get, host, 'Expect: 100-continue']],
    ['trailers', [get, host, 'TE: trailers']],
    ['a space before the colon', [get, host, 'A : b']],
    ['a folded line', [get, host, 'A: b', ' c']],
    ['a line without a colon', [get, host, 'A']],
    ['a bare line feed', [get, host, 'A: b\nContent-Length: 5']],
    ['a bare carriage return', [get, host, 'A: b\rContent-Length: 5']],
    ['a zero byte', [get, host, 'A: \0']],
    ['an odd name', [get, host, 'A(b): c']],
    ['HTTP/1.0', ['GET / HTTP/1.0', host]],
    ['HTTP/1.10', ['GET / HTTP/1.10', host]],
    ['two spaces', ['GET  / HTTP/1.1', host]],
    ['a space in the target', ['GET /a b HTTP/1.1', host]],
    ['absolute form', ['GET http://a/ HTTP/1.1', host]],
    ['asterisk form', ['OPTIONS * HTTP/1.1', host]],
    ['authority form', ['CONNECT a:443 HTTP/1.1', host]],
    ['an empty line before', ['', get, host]],
  ])('is for the other parser with %s', (_, lines) => {
    expect(requestOf(...lines)).toBeUndefined();
  });

  it('takes little time, however it is made', () => {
    const began = performance.now();
    for (const filling of [' ', '\t', 'a', 'a:', ':', '\r\n'])
      requestOf(get, host, `A:${filling.repeat(16_000 / filling.length)}\0`);
    expect(performance.now() - began).toBeLessThan(1_000);
  });
});

describe('the head of an answer', () => {
  const read = (method: string, ...lines: readonly string[]): ReturnType<typeof readResponseHead> =>
    readResponseHead(`${lines.join('\r\n')}\r\n\r\n`, method, meaningOf);

  it('keeps what is to be handed on', () => {
    const lines = [
      'Server: x',
      'Connection: x-hop',
      'X-Hop: 1',
      'Keep-Alive: 5',
      'Date: now',
      'X-Forwarded-Host: y',
    ];
    expect(read('GET', 'HTTP/1.1 404 Not There', ...lines, 'Content-Length: 3')).toEqual({
      status: 404,
      reason: 'Not There',
      fields: 'Server: x\r\nDate: now\r\nX-Forwarded-Host: y\r\nContent-Length: 3\r\n',
      hasDate: true,
      body: 'length',
      length: 3,
      reusable: true,
    });
  });

  it.each<[string, string, readonly string[], string, boolean]>([
    ['a length', 'GET', ['HTTP/1.1 200 OK', 'content-length: 3'], 'length', true],
    ['chunks', 'GET', ['HTTP/1.1 200', 'transfer-encoding: Chunked'], 'chunked', true],
    ['neither', 'GET', ['HTTP/1.1 200 OK'], 'close', false],
    ['the end of HTTP/1.0', 'GET', ['HTTP/1.0 200 OK', 'content-length: 3'], 'length', false],
    ['a last answer', 'GET', ['HTTP/1.1 200 OK', 'content-length: 3', 'connection: close'], 'length', false],
    ['HEAD', 'HEAD', ['HTTP/1.1 200 OK', 'content-length: 3'], 'none', true],
    ['HEAD and chunks', 'HEAD', ['HTTP/1.1 200 OK', 'transfer-encoding: chunked'], 'none', true],
    ['nothing modified', 'GET', ['HTTP/1.1 304 Not Modified', 'content-length: 3'], 'none', true],
    ['no content', 'GET', ['HTTP/1.1 204 No Content'], 'none', true],
  ])('with %s', (...[, method, lines, body, reusable]) => {
    expect(read(method, ...lines)).toMatchObject({ body, reusable });
  });

  it.each<[string, readonly string[]]>([
    ['a length beside chunks', ['content-length: 3', 'transfer-encoding: chunked']],
    ['chunks beside a length', ['transfer-encoding: chunked', 'content-length: 3']],
    ['two lengths', ['content-length: 3', 'content-length: 4']],
    ['a list of lengths', ['content-length: 3, 3']],
    ['another coding', ['transfer-encoding: gzip, chunked']],
    ['two codings', ['transfer-encoding: chunked', 'transfer-encoding: chunked']],
    ['a bare line feed', ['a: b\nc: d']],
    ['a folded line', ['a: b', ' c']],
    ['a space before the colon', ['content-length : 3']],
  ])('is none with %s', (_, lines) => {
    expect(read('GET', 'HTTP/1.1 200 OK', ...lines)).toBeUndefined();
  });
});

describe('a body in chunks', () => {
  const scan = (text: string, step: number): string => {
    const scanner = createChunkScanner();
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += step) {
      const { end, state } = scanner.scan(bytes.subarray(at, at + step));
      if (state !== 'more') return `${state} at ${at + end}, ${scanner.payload}`;
    }
    return `more, ${scanner.payload}`;
  };

  it.each([
    ['3\r\nabc\r\n0\r\n\r\n', 'done at 13, 3'],
    ['3\r\nabc\r\n0\r\n\r\nHTTP/1.1', 'done at 13, 3'],
    ['A;x=y\r\n0123456789\r\n00\r\nX-Sum: 1\r\n\r\n', 'done at 35, 10'],
    ['3\r\nab', 'more, 2'],
    ['3\r\nabcd\r\n', 'malformed at 6, 3'],
    ['3\nabc\n0\n\n', 'malformed at 1, 0'],
    ['-3\r\nabc', 'malformed at 0, 0'],
    ['0x3\r\nabc', 'malformed at 1, 0'],
    ['\r\n', 'malformed at 0, 0'],
    ['ffffffffffffff\r\n', 'malformed at 12, 0'],
    ['3;\n\r\nabc', 'malformed at 2, 0'],
    ['0\r\nX: 1\n\r\n', 'malformed at 7, 0'],
    ['0\r\n X: 1\r\n\r\n', 'malformed at 3, 0'],
  ])('%j', (text, expected) => {
    for (const step of [1, 2, 7, 1_000]) expect(scan(text, step)).toBe(expected);
  });
});
