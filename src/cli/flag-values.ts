import { InvalidArgumentError } from 'commander';
import { durationMs } from '../machinery/duration.ts';

/** Reads a flag's whole number, 0 or more. */
export function wholeNumber(value: string): number {
  if (!/^\d+$/.test(value)) throw new InvalidArgumentError('it must be a whole number, 0 or more');
  return Number(value);
}

/** Reads a flag's Go duration (`30s`, `1h30m`; a bare number is seconds) into milliseconds. */
export function durationArgument(value: string): number {
  if (/^-?\d+$/.test(value)) return Number(value) * 1000;
  try {
    return durationMs(value);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InvalidArgumentError('it must be a duration such as 30s, 5m or 1h30m');
  }
}

/** Adds a value to those that a repeatable flag has already. */
export function collected(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

/** Adds the words of a list with commas to those that a repeatable flag has already. */
export function words(value: string, previous: readonly string[] | undefined): string[] {
  const listed = value.split(',').map((word) => word.trim());
  return [...(previous ?? []), ...listed.filter((word) => word !== '')];
}
