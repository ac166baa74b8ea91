import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeJson } from './encode.ts';
import { parseJson } from './parse-json.ts';

describe('parseJson', () => {
  it('reads back what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
        const text = JSON.stringify(value);
        expect(encodeJson(parseJson(text).value)).toBe(text);
      }),
    );
  });

  it('keeps every int64', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const parsed = parseJson(`{"n":${value}}`).value;
        expect(BigInt((parsed as { n: number | bigint }).n)).toBe(value);
        expect(encodeJson(parsed)).toBe(`{"n":${value}}`);
      }),
    );
  });

  it('makes __proto__ a key like any other', () => {
    const { value } = parseJson('{"__proto__":{"polluted":true}}');
    expect(Object.keys(value as object)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(encodeJson(value)).toBe('{"__proto__":{"polluted":true}}');
  });

  it('reports repeated keys with their paths and keeps the last', () => {
    expect(parseJson('{"a":1,"b":[{"c":1,"c":2}],"a":3}')).toEqual({
      value: { a: 3, b: [{ c: 2 }] },
      duplicates: ['duplicate field "b[0].c"', 'duplicate field "a"'],
    });
  });

  it.each([
    ['', 'unexpected end of JSON input'],
    ['{"a":', 'unexpected end of JSON input'],
    ['{"a":1,}', "invalid character '}' looking for beginning of object key string"],
    ['{"a" 1}', "invalid character '1' after object key"],
    ['{"a":1 "b"}', `invalid character '"' after object key:value pair`],
    ['[1,]', "invalid character ']' looking for beginning of value"],
    ['[1 2]', "invalid character '2' after array element"],
    ['tru}', "invalid character '}' in literal true (expecting 'e')"],
    ['nul', 'unexpected end of JSON input'],
    ['"\n"', "invalid character '\\n' in string literal"],
    ['"\\x"', "invalid character 'x' in string escape code"],
    ['"\\u12g4"', "invalid character 'g' in \\u hexadecimal character escape"],
    ['01', "invalid character '1' after top-level value"],
    ['-a', "invalid character 'a' in numeric literal"],
    ['1.x', "invalid character 'x' after decimal point in numeric literal"],
    ['1e+', 'unexpected end of JSON input'],
    ["{'a':1}", "invalid character '\\'' looking for beginning of object key string"],
    ['\ufeff{}', "invalid character 'ï' looking for beginning of value"],
    ['apiVersion: v1', "invalid character 'a' looking for beginning of value"],
  ])('refuses %j as Go does', (text, message) => {
    expect(() => parseJson(Buffer.from(text))).toThrow(
      expect.objectContaining({ code: 'JSON_SYNTAX', message }),
    );
  });

  it('limits the depth', () => {
    expect(() => parseJson('['.repeat(20_000))).toThrow('exceeded max depth');
    expect(parseJson(`${'['.repeat(900)}${']'.repeat(900)}`).duplicates).toEqual([]);
  });

  it('replaces what is no Unicode', () => {
    expect(parseJson(Buffer.from([0x22, 0xff, 0x22])).value).toBe('\ufffd');
    expect(parseJson('"\\ud800x"').value).toBe('\ufffdx');
    expect(parseJson('"\\ud83d\\ude00"').value).toBe('\u{1f600}');
  });
});
