import { expect, it } from 'vitest';
import { mutableCopy } from './mutable-copy.ts';

it('copies every level', () => {
  const original = { a: [{ b: 1n }, null, 'x'], bytes: Buffer.from('x') };
  const copy = mutableCopy(original);
  expect(copy).toEqual({ a: [{ b: 1n }, null, 'x'], bytes: new Uint8Array(Buffer.from('x')) });
  copy.a.pop();
  expect(original.a).toHaveLength(3);
});

it('keeps a member named __proto__ a member', () => {
  const copy = mutableCopy(JSON.parse('{"__proto__":{"a":1}}') as object);
  expect(Object.keys(copy)).toEqual(['__proto__']);
  expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
});
