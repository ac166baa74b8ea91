import { describe, expect, it } from 'vitest';
import { type Rounding, scaledValue } from './int-or-string.ts';

describe('counts and percentages', () => {
  it.each<[number | string, number, Rounding, number]>([
    [3, 10, 'up', 3],
    ['25%', 10, 'up', 3],
    ['25%', 10, 'down', 2],
    ['100%', 7, 'down', 7],
    ['0%', 7, 'up', 0],
  ])('%s of %d, rounded %s, is %d', (value, total, rounding, expected) => {
    expect(scaledValue(value, total, rounding)).toBe(expected);
  });

  it.each([
    ['5', 'invalid value for IntOrString: invalid type: string is not a percentage'],
    ['x%', 'invalid value for IntOrString: invalid value "x%": strconv.Atoi: parsing "x": invalid syntax'],
  ])('%s is refused', (value, message) => {
    expect(() => scaledValue(value, 1, 'up')).toThrow(new RangeError(message));
  });
});
