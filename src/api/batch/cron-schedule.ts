import { parseDuration } from '../../machinery/duration.ts';
import { goQuote } from '../../machinery/go-quote.ts';
import { isTimeZone } from './time-zones.ts';

/** The values of one field, and whether it is `*`, which only the two day fields tell from all their values. */
export interface CronField {
  readonly values: ReadonlySet<number>;
  readonly star: boolean;
}

/** When something is to happen: at the times that fields describe, or again and again after the same wait. */
export type CronSchedule =
  | {
      readonly type: 'fields';
      readonly minute: CronField;
      readonly hour: CronField;
      readonly dayOfMonth: CronField;
      readonly month: CronField;
      /** Sunday is 0. */
      readonly dayOfWeek: CronField;
      /** Of a leading `TZ=`. */
      readonly timeZone?: string;
    }
  | { readonly type: 'every'; readonly seconds: number };

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const weekdays = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

/** Minute, hour, day of the month, month, day of the week. */
const fieldBounds: readonly Bounds[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: months },
  { min: 0, max: 6, names: weekdays },
];

const hourly = '0 * * * *';
const daily = '0 0 * * *';
const yearly = '0 0 1 1 *';
const descriptors: Readonly<Record<string, string>> = {
  '@yearly': yearly,
  '@annually': yearly,
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': daily,
  '@midnight': daily,
  '@hourly': hourly,
};

/** Why a text is no schedule, in the words of upstream's parser. */
export class ScheduleError extends Error {}

function numberOf(text: string): number {
  const atoi = `strconv.Atoi: parsing ${goQuote(text)}`;
  if (!/^[+-]?[0-9]+$/.test(text)) {
    throw new ScheduleError(`failed to parse int from ${text}: ${atoi}: invalid syntax`);
  }
  const value = BigInt(text.replace(/^\+/, ''));
  if (value > 9_223_372_036_854_775_807n || value < -9_223_372_036_854_775_808n) {
    throw new ScheduleError(`failed to parse int from ${text}: ${atoi}: value out of range`);
  }
  if (value < 0n) throw new ScheduleError(`negative number (${value}) not allowed: ${text}`);
  return Number(value);
}

function numberOrName(text: string, { min, names }: Bounds): number {
  const index = names?.indexOf(text.toLowerCase()) ?? -1;
  return index >= 0 ? index + min : numberOf(text);
}

interface Limits {
  readonly start: number;
  readonly end: number;
  readonly star?: boolean;
}

function limitsOf(range: string, bounds: Bounds, part: string): Limits {
  const [low = '', high, ...more] = range.split('-');
  if (low === '*' || low === '?') return { start: bounds.min, end: bounds.max, star: true };
  const start = numberOrName(low, bounds);
  if (high === undefined) return { start, end: start };
  if (more.length > 0) throw new ScheduleError(`too many hyphens: ${part}`);
  return { start, end: numberOrName(high, bounds) };
}

/** Reads `1`, `*`, `1-5`, `*\/2`, `1-5/2`, `3/4`. */
function parsePart(part: string, bounds: Bounds): CronField {
  const [range = '', stepText, ...more] = part.split('/');
  const limits = limitsOf(range, bounds, part);
  if (more.length > 0) throw new ScheduleError(`too many slashes: ${part}`);
  const step = stepText === undefined ? 1 : numberOf(stepText);
  const { start, star = false } = limits;
  const end = stepText !== undefined && !range.includes('-') ? bounds.max : limits.end;
  if (start < bounds.min) {
    throw new ScheduleError(`beginning of range (${start}) below minimum (${bounds.min}): ${part}`);
  }
  if (end > bounds.max) {
    throw new ScheduleError(`end of range (${end}) above maximum (${bounds.max}): ${part}`);
  }
  if (start > end) {
    throw new ScheduleError(`beginning of range (${start}) beyond end of range (${end}): ${part}`);
  }
  if (step === 0) throw new ScheduleError(`step of range should be a positive number: ${part}`);
  const values = new Set<number>();
  for (let value = start; value <= end; value += step) values.add(value);
  return { values, star: star && step === 1 };
}

function parseField(field: string, bounds: Bounds): CronField {
  const parts = field.split(',').filter((part) => part !== '');
  const parsed = parts.map((part) => parsePart(part, bounds));
  return {
    values: new Set(parsed.flatMap(({ values }) => [...values])),
    star: parsed.some(({ star }) => star),
  };
}

function parseDescriptor(text: string): CronSchedule | string {
  const fields = Object.hasOwn(descriptors, text) ? descriptors[text] : undefined;
  if (fields !== undefined) return fields;
  const every = '@every ';
  if (!text.startsWith(every)) throw new ScheduleError(`unrecognized descriptor: ${text}`);
  try {
    const seconds = Number(parseDuration(text.slice(every.length)) / 1_000_000_000n);
    return { type: 'every', seconds: Math.max(1, seconds) };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ScheduleError(`failed to parse duration ${text}: ${error.message}`);
  }
}

/** The schedule and the zone of its leading `TZ=Zone ` or `CRON_TZ=Zone `. */
function splitZone(text: string): { readonly schedule: string; readonly timeZone?: string } {
  const [, zone, rest] = /^(?:CRON_)?TZ=([^ ]*) (.*)$/s.exec(text) ?? [];
  if (zone === undefined || rest === undefined) return { schedule: text };
  if (zone !== '' && !isTimeZone(zone)) {
    throw new ScheduleError(`provided bad location ${zone}: unknown time zone ${zone}`);
  }
  return { schedule: rest.trim(), timeZone: zone === '' ? 'UTC' : zone };
}

/** Reads a cron schedule of five fields or a descriptor. Throws {@link ScheduleError}. */
export function parseCronSchedule(text: string): CronSchedule {
  if (text === '') throw new ScheduleError('empty spec string');
  const { schedule: given, timeZone } = splitZone(text);
  const schedule = given.startsWith('@') ? parseDescriptor(given) : given;
  if (typeof schedule !== 'string') return schedule;
  const fields = schedule.split(/\s+/).filter((field) => field !== '');
  if (fields.length !== fieldBounds.length) {
    throw new ScheduleError(
      `expected exactly ${fieldBounds.length} fields, found ${fields.length}: [${fields.join(' ')}]`,
    );
  }
  const none: CronField = { values: new Set(), star: false };
  const [minute = none, hour = none, dayOfMonth = none, month = none, dayOfWeek = none] = fieldBounds.map(
    (bounds, index) => parseField(fields[index] ?? '', bounds),
  );
  return {
    type: 'fields',
    minute,
    hour,
    dayOfMonth,
    month,
    dayOfWeek,
    ...(timeZone !== undefined && { timeZone }),
  };
}

/** What is wrong with a cron schedule, in the words of upstream's parser. */
export function cronScheduleError(text: string): string | undefined {
  try {
    parseCronSchedule(text);
    return undefined;
  } catch (error) {
    if (error instanceof ScheduleError) return error.message;
    throw error;
  }
}
