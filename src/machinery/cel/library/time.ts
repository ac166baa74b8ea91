import { evaluationError } from '../evaluation-error.ts';
import type { FunctionLibrary } from '../function-table.ts';
import { asDuration, asText, asTimestamp } from '../value-guards.ts';
import type { CelTimestamp, CelValue } from '../value.ts';

/** The fields of an instant on the calendar of one time zone. */
interface CalendarTime {
  readonly year: number;
  /** From 0. */
  readonly month: number;
  /** From 1. */
  readonly day: number;
  readonly dayOfYear: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  readonly hours: number;
  readonly minutes: number;
  readonly seconds: number;
  readonly millis: number;
}

const MILLI = 1_000_000n;

/** Parts of timestamps and durations. */
export function timeFunctions(): FunctionLibrary {
  return [
    ...part('getFullYear', 'year', (time) => time.year),
    ...part('getMonth', 'month', (time) => time.month),
    ...part('getDayOfYear', 'day_of_year', (time) => time.dayOfYear),
    ...part('getDayOfMonth', 'day_of_month_0_based', (time) => time.day - 1),
    ...part('getDate', 'day_of_month_1_based', (time) => time.day),
    ...part('getDayOfWeek', 'day_of_week', (time) => time.weekday),
    ...part('getHours', 'hours', (time) => time.hours),
    ...part('getMinutes', 'minutes', (time) => time.minutes),
    ...part('getSeconds', 'seconds', (time) => time.seconds),
    ...part('getMilliseconds', 'milliseconds', (time) => time.millis),
    ...whole('getHours', 'hours', 3_600_000_000_000n),
    ...whole('getMinutes', 'minutes', 60_000_000_000n),
    ...whole('getSeconds', 'seconds', 1_000_000_000n),
    {
      id: 'duration_to_milliseconds',
      signature: '<duration>.getMilliseconds() -> int',
      run: (value) => (asDuration(value).nanos / MILLI) % 1000n,
    },
  ];
}

function part(name: string, word: string, read: (time: CalendarTime) => number): FunctionLibrary {
  const run = (value?: CelValue, zone?: CelValue): CelValue =>
    BigInt(read(calendar(asTimestamp(value), zone === undefined ? 'UTC' : asText(zone))));
  return [
    { id: `timestamp_to_${word}`, signature: `<timestamp>.${name}() -> int`, run },
    { id: `timestamp_to_${word}_with_tz`, signature: `<timestamp>.${name}(string) -> int`, run },
  ];
}

function whole(name: string, word: string, unit: bigint): FunctionLibrary {
  const run = (value?: CelValue): CelValue => asDuration(value).nanos / unit;
  return [{ id: `duration_to_${word}`, signature: `<duration>.${name}() -> int`, run }];
}

function calendar({ nanos }: CelTimestamp, zone: string): CalendarTime {
  const inMilli = ((nanos % MILLI) + MILLI) % MILLI;
  const local = new Date(Number((nanos - inMilli) / MILLI) + zoneOffset(nanos, zone));
  const yearStart = Date.UTC(local.getUTCFullYear(), 0, 1);
  const midnight = Date.UTC(local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate());
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth(),
    day: local.getUTCDate(),
    dayOfYear: Math.round((midnight - yearStart) / 86_400_000),
    weekday: local.getUTCDay(),
    hours: local.getUTCHours(),
    minutes: local.getUTCMinutes(),
    seconds: local.getUTCSeconds(),
    millis: local.getUTCMilliseconds(),
  };
}

/** Milliseconds that the zone is ahead of UTC at an instant; `±HH:MM` or a name of the zone database. */
function zoneOffset(nanos: bigint, zone: string): number {
  if (zone === 'UTC' || zone === '') return 0;
  const [, sign, hours, minutes] = /^([+-]?)([0-9]{1,2}):([0-9]{2})$/.exec(zone) ?? [];
  if (hours !== undefined && minutes !== undefined) {
    return (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60_000 : 60_000);
  }
  const at = Number(nanos / MILLI);
  const parts = Object.fromEntries(
    zoneFormat(zone)
      .formatToParts(at)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return Date.UTC(year, month - 1, day, hour % 24, minute, second) - Math.floor(at / 1000) * 1000;
}

function zoneFormat(zone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch (error) {
    if (error instanceof RangeError) return evaluationError(`unknown time zone ${zone}`);
    throw error;
  }
}
