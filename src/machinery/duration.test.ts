import { describe, expect, it } from 'vitest';
import { durationMs, formatDuration, humanDuration, parseDuration } from './duration.ts';

describe('durations', () => {
  it.each([
    ['1h15m30.5s', 4_530_500_000_000n, '1h15m30.5s'],
    ['3600s', 3_600_000_000_000n, '1h0m0s'],
    ['90s', 90_000_000_000n, '1m30s'],
    ['-3ms', -3_000_000n, '-3ms'],
    ['1.5us', 1500n, '1.5µs'],
    ['0', 0n, '0s'],
    ['.5s', 500_000_000n, '500ms'],
    ['10ns', 10n, '10ns'],
  ])('%s', (text, nanos, printed) => {
    expect(parseDuration(text)).toBe(nanos);
    expect(formatDuration(nanos)).toBe(printed);
  });

  it.each([
    ['', 'time: invalid duration ""'],
    ['5', 'time: missing unit in duration "5"'],
    ['x', 'time: invalid duration "x"'],
    ['5d', 'time: unknown unit "d" in duration "5d"'],
    ['constructor', 'time: invalid duration "constructor"'],
  ])('%j is refused', (text, message) => {
    expect(() => parseDuration(text)).toThrow(new RangeError(message));
  });

  it('counts milliseconds', () => {
    expect(durationMs('1.5s')).toBe(1500);
  });

  it.each([
    [-5000, '<invalid>'],
    [-500, '0s'],
    [0, '0s'],
    [119_000, '119s'],
    [120_000, '2m'],
    [150_000, '2m30s'],
    [600_000, '10m'],
    [3 * 3_600_000, '3h'],
    [3 * 3_600_000 + 60_000, '3h1m'],
    [9 * 3_600_000, '9h'],
    [50 * 3_600_000, '2d2h'],
    [9 * 86_400_000, '9d'],
    [800 * 86_400_000, '2y70d'],
    [3000 * 86_400_000, '8y'],
  ])('%d ms is %s old', (ms, age) => {
    expect(humanDuration(ms)).toBe(age);
  });
});
