import { describe, expect, it } from 'vitest';
import { accumulate, amountsOf, emptySum, integerQuantity, NOTHING_REQUESTED } from './resource-amounts.ts';

describe('integerQuantity', () => {
  it.each<[string, string, number]>([
    ['cpu', '1', 1000],
    ['cpu', '100m', 100],
    ['cpu', '0.1', 100],
    ['cpu', '100u', 1],
    ['cpu', '1k', 1_000_000],
    ['memory', '500Mi', 500 * 2 ** 20],
    ['memory', '1G', 1e9],
    ['memory', '1500m', 2],
    ['memory', '1e3', 1000],
    ['memory', '1Ti', 2 ** 40],
    ['example.com/gpu', '3', 3],
  ])('reads %s: %s', (name, text, expected) => {
    expect(integerQuantity(name, text)).toBe(expected);
  });
});

describe('accumulate', () => {
  it('adds and takes away, and leaves what is shared alone', () => {
    const sum = emptySum();
    const amounts = amountsOf({ cpu: '1', 'example.com/gpu': '2' });
    accumulate(sum, amounts, 1);
    accumulate(sum, amounts, 1);
    accumulate(sum, amounts, -1);
    expect([sum, emptySum().scalars.size, NOTHING_REQUESTED.scalars.size]).toEqual([amounts, 0, 0]);
  });
});
