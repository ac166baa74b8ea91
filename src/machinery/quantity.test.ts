import { assert, bigInt, constantFrom, property, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  QUANTITY_FORMAT_MESSAGE,
  QUANTITY_SUFFIX_MESSAGE,
  quantityMilliValue,
  quantityOf,
  quantityValue,
  subtractQuantities,
} from './quantity.ts';

describe('quantities', () => {
  it.each([
    ['0', '0'],
    ['1', '1'],
    ['1000m', '1'],
    ['100m', '100m'],
    ['0.1', '100m'],
    ['.5', '500m'],
    ['5.', '5'],
    ['1.5Gi', '1536Mi'],
    ['1024Mi', '1Gi'],
    ['1023Mi', '1023Mi'],
    ['1000Ki', '1000Ki'],
    ['1000', '1k'],
    ['1500', '1500'],
    ['1e3', '1e3'],
    ['1500e3', '1500e3'],
    ['100e-3', '100e-3'],
    ['1E6', '1e6'],
    ['12e1', '120'],
    ['+1', '1'],
    ['-1.5', '-1500m'],
    ['1n', '1n'],
    ['0.1n', '1n'],
    ['1001u', '1001u'],
    ['0.5Ki', '512'],
    ['0.5Mi', '512Ki'],
    ['0.0001Gi', '107374182400u'],
    ['4E', '4E'],
    ['2Ei', '2Ei'],
    ['0Mi', '0'],
    ['100k', '100k'],
    ['128974848', '128974848'],
    ['129e6', '129e6'],
    ['129M', '129M'],
    ['123Mi', '123Mi'],
  ])('%s is %s', (text, canonical) => {
    expect(canonicalQuantity(text)).toBe(canonical);
  });

  it.each([
    ['', QUANTITY_FORMAT_MESSAGE],
    ['abc', QUANTITY_FORMAT_MESSAGE],
    ['1.2.3', QUANTITY_FORMAT_MESSAGE],
    ['1 Gi', QUANTITY_FORMAT_MESSAGE],
    ['1gi', QUANTITY_FORMAT_MESSAGE],
    ['1Kik', QUANTITY_SUFFIX_MESSAGE],
    ['1K', QUANTITY_SUFFIX_MESSAGE],
    ['1mm', QUANTITY_SUFFIX_MESSAGE],
  ])('%j is refused', (text, message) => {
    expect(() => parseQuantity(text)).toThrow(new RangeError(message));
  });

  it.each([
    ['100m', 1n, 100n],
    ['1500m', 2n, 1500n],
    ['-1500m', -2n, -1500n],
    ['1Ki', 1024n, 1_024_000n],
    ['1u', 1n, 1n],
  ])('%s is %d units, %d thousandths', (text, units, millis) => {
    expect(quantityValue(parseQuantity(text))).toBe(units);
    expect(quantityMilliValue(parseQuantity(text))).toBe(millis);
  });

  it('adds exactly and keeps the way of printing', () => {
    const sum = addQuantities(parseQuantity('1Gi'), parseQuantity('512Mi'));
    expect(formatQuantity(sum)).toBe('1536Mi');
    expect(formatQuantity(addQuantities(quantityOf(0), parseQuantity('2Gi')))).toBe('2Gi');
    expect(compareQuantities(parseQuantity('1'), parseQuantity('1000m'))).toBe(0);
  });

  const text = tuple(
    bigInt({ min: 0n, max: 999_999n }),
    constantFrom('', 'm', 'k', 'M', 'Ki', 'Mi', 'Gi', 'e3', 'u'),
  ).map(([digits, suffix]) => `${digits}${suffix}`);

  it('prints what it reads again, to the same amount', () => {
    assert(
      property(text, (value) => {
        const quantity = parseQuantity(value);
        const again = parseQuantity(formatQuantity(quantity));
        expect(again.nanos).toBe(quantity.nanos);
        expect(formatQuantity(again)).toBe(formatQuantity(quantity));
      }),
    );
  });

  it('takes away what it added', () => {
    assert(
      property(text, text, (a, b) => {
        const sum = addQuantities(parseQuantity(a), parseQuantity(b));
        expect(subtractQuantities(sum, parseQuantity(b)).nanos).toBe(parseQuantity(a).nanos);
      }),
    );
  });
});
