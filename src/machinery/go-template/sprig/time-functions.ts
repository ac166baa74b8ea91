import type { Clock } from '../../../base/clock.ts';
import { durationMs, humanDuration } from '../../duration.ts';
import { templateFunction as define, type FunctionMap } from '../template-function.ts';
import { toInteger } from './casts.ts';

/** Sprig's functions of times, in UTC; layouts are Go's. */
export function timeFunctions(clock: Clock): FunctionMap {
  return {
    now: define([], () => new Date(clock.now())),
    date: define(['string', 'any'], (layout: string, time: unknown) =>
      formatTime(layout, timeOf(time, clock)),
    ),
    dateInZone: define(['string', 'any', 'string'], (layout: string, time: unknown) =>
      formatTime(layout, timeOf(time, clock)),
    ),
    htmlDate: define(['any'], (time: unknown) => formatTime('2006-01-02', timeOf(time, clock))),
    dateModify: define(
      ['string', 'any'],
      (by: string, time: unknown) => new Date(timeOf(time, clock).getTime() + durationMs(by)),
    ),
    unixEpoch: define(['any'], (time: unknown) => String(Math.floor(timeOf(time, clock).getTime() / 1000))),
    toDate: define(['string', 'string'], (_: string, text: string) => new Date(text)),
    ago: define(['any'], (time: unknown) => humanDuration(clock.now() - timeOf(time, clock).getTime())),
    duration: define(['any'], (seconds: unknown) => humanDuration(Number(toInteger(seconds)) * 1000)),
  };
}

function timeOf(value: unknown, clock: Clock): Date {
  if (value instanceof Date) return value;
  if (typeof value === 'bigint') return new Date(Number(value) * 1000);
  return typeof value === 'string' ? new Date(value) : new Date(clock.now());
}

const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const two = (value: number): string => String(value).padStart(2, '0');

const parts: Readonly<Record<string, (time: Date) => string>> = {
  January: (time) => months[time.getUTCMonth()] ?? '',
  Jan: (time) => (months[time.getUTCMonth()] ?? '').slice(0, 3),
  Monday: (time) => days[time.getUTCDay()] ?? '',
  Mon: (time) => (days[time.getUTCDay()] ?? '').slice(0, 3),
  MST: () => 'UTC',
  '2006': (time) => String(time.getUTCFullYear()).padStart(4, '0'),
  '-0700': () => '+0000',
  '-07:00': () => '+00:00',
  'Z07:00': () => 'Z',
  '.000000': (time) => `.${String(time.getUTCMilliseconds()).padStart(3, '0')}000`,
  '.000': (time) => `.${String(time.getUTCMilliseconds()).padStart(3, '0')}`,
  '01': (time) => two(time.getUTCMonth() + 1),
  '02': (time) => two(time.getUTCDate()),
  '03': (time) => two(time.getUTCHours() % 12 || 12),
  '04': (time) => two(time.getUTCMinutes()),
  '05': (time) => two(time.getUTCSeconds()),
  '06': (time) => two(time.getUTCFullYear() % 100),
  '15': (time) => two(time.getUTCHours()),
  PM: (time) => (time.getUTCHours() < 12 ? 'AM' : 'PM'),
};

const layoutPart = new RegExp(
  Object.keys(parts)
    .sort((a, b) => b.length - a.length)
    .map((part) => part.replaceAll(/[.+]/g, '\\$&'))
    .join('|'),
  'g',
);

function formatTime(layout: string, time: Date): string {
  return layout.replaceAll(layoutPart, (part) => parts[part]?.(time) ?? part);
}
