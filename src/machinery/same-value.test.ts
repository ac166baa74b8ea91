import { expect, it } from 'vitest';
import { sameValue } from './same-value.ts';

it.each<[string, unknown, unknown, boolean]>([
  ['equal trees', { a: [1, { b: null }], c: 'x' }, { c: 'x', a: [1, { b: null }] }, true],
  ['another number', { a: 1 }, { a: 2 }, false],
  ['a number and its text', { a: 1 }, { a: '1' }, false],
  ['an integer and its bigint', 1, 1n, false],
  ['equal bigints', [2n ** 60n], [2n ** 60n], true],
  ['a longer list', [1], [1, 2], false],
  ['a list and an object', [], {}, false],
  ['an absent member', { a: undefined }, {}, false],
  ['another name', { a: undefined }, { b: undefined }, false],
  ['null and an object', null, {}, false],
  ['equal bytes', { a: Buffer.from('x') }, { a: Buffer.from('x') }, true],
  ['other bytes', { a: Buffer.from('x') }, { a: Buffer.from('y') }, false],
])('compares %s', (_, a, b, same) => {
  expect(sameValue(a, b)).toBe(same);
});
