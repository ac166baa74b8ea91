import { goQuote } from '../../machinery/go-quote.ts';
import { goDurationError } from './go-duration.ts';
import { isTimeZone } from './time-zones.ts';

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

const descriptors = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly'];

/** Why a text is no schedule; never leaves this file. */
class ScheduleError extends Error {}

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

function limitsOf(range: string, bounds: Bounds, part: string): { start: number; end: number } {
  const [low = '', high, ...more] = range.split('-');
  if (low === '*' || low === '?') return { start: bounds.min, end: bounds.max };
  const start = numberOrName(low, bounds);
  if (high === undefined) return { start, end: start };
  if (more.length > 0) throw new ScheduleError(`too many hyphens: ${part}`);
  return { start, end: numberOrName(high, bounds) };
}

/** Checks `1`, `*`, `1-5`, `*\/2`, `1-5/2`. */
function checkPart(part: string, bounds: Bounds): void {
  const [range = '', stepText, ...more] = part.split('/');
  const limits = limitsOf(range, bounds, part);
  if (more.length > 0) throw new ScheduleError(`too many slashes: ${part}`);
  const step = stepText === undefined ? 1 : numberOf(stepText);
  const { start } = limits;
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
}

function checkDescriptor(text: string): void {
  if (descriptors.includes(text)) return;
  const every = '@every ';
  if (!text.startsWith(every)) throw new ScheduleError(`unrecognized descriptor: ${text}`);
  const problem = goDurationError(text.slice(every.length));
  if (problem !== undefined) throw new ScheduleError(`failed to parse duration ${text}: ${problem}`);
}

/** The schedule without its leading `TZ=Zone ` or `CRON_TZ=Zone `. */
function withoutZone(text: string): string {
  const [, zone, rest] = /^(?:CRON_)?TZ=([^ ]*) (.*)$/s.exec(text) ?? [];
  if (zone === undefined || rest === undefined) return text;
  if (zone !== '' && !isTimeZone(zone)) {
    throw new ScheduleError(`provided bad location ${zone}: unknown time zone ${zone}`);
  }
  return rest.trim();
}

function check(text: string): void {
  if (text === '') throw new ScheduleError('empty spec string');
  const schedule = withoutZone(text);
  if (schedule.startsWith('@')) {
    checkDescriptor(schedule);
    return;
  }
  const fields = schedule.split(/\s+/).filter((field) => field !== '');
  if (fields.length !== fieldBounds.length) {
    throw new ScheduleError(
      `expected exactly ${fieldBounds.length} fields, found ${fields.length}: [${fields.join(' ')}]`,
    );
  }
  for (const [index, bounds] of fieldBounds.entries()) {
    const parts = (fields[index] ?? '').split(',').filter((part) => part !== '');
    for (const part of parts) checkPart(part, bounds);
  }
}

/** What is wrong with a cron schedule of five fields or a descriptor, in the words of upstream's parser. */
export function cronScheduleError(text: string): string | undefined {
  try {
    check(text);
    return undefined;
  } catch (error) {
    if (error instanceof ScheduleError) return error.message;
    throw error;
  }
}
