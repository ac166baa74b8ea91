import { goQuote } from '../go-quote.ts';

/** Go's layouts: each element is a literal or what stands for a part of the time. */
const rfc3339 = ['2006', '-', '01', '-', '02', 'T', '15', ':', '04', ':', '05', 'Z07:00'] as const;
const rfc3339Micro = [...rfc3339.slice(0, -1), '.000000', 'Z07:00'] as const;

/** A text that is no time; the message is Go's. */
class TimeParseError extends Error {
  override readonly name = 'TimeParseError';
  readonly code = 'TIME_PARSE';
}

/**
 * The text in the form in which upstream writes it: UTC, whole seconds for `time`, six digits for `microTime`.
 * Undefined for Go's zero time. Throws {@link TimeParseError}.
 */
export function canonicalTime(text: string, type: 'time' | 'microTime'): string | undefined {
  if (type === 'time' && plain.test(text) && isRealDate(text)) return text === zeroTime ? undefined : text;
  if (type === 'microTime' && plainMicro.test(text) && isRealDate(text) && !text.startsWith('0001-'))
    return text;
  const layout = type === 'time' ? rfc3339 : rfc3339Micro;
  const parts = parseLayout(text, layout);
  const offset = parts.zone === 'Z' ? 0 : offsetMinutes(parts.zone);
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0] = parts.numbers;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute - offset, second);
  const seconds = date.toISOString().slice(0, 19);
  if (type === 'time') return `${seconds}Z` === zeroTime ? undefined : `${seconds}Z`;
  const micros = parts.fraction.slice(0, 6).padEnd(6, '0');
  return `${seconds}Z` === zeroTime && Number(micros) === 0 ? undefined : `${seconds}.${micros}Z`;
}

const plain = /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\dZ$/;
const plainMicro =
  /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{6}Z$/;
const zeroTime = '0001-01-01T00:00:00Z';

function isRealDate(text: string): boolean {
  const day = Number(text.slice(8, 10));
  return day <= daysIn(Number(text.slice(0, 4)), Number(text.slice(5, 7)));
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

interface TimeParts {
  readonly numbers: readonly number[];
  readonly fraction: string;
  readonly zone: string;
}

function parseLayout(text: string, layout: readonly string[]): TimeParts {
  const numbers: number[] = [];
  let fraction = '';
  let zone = 'Z';
  let rest = text;
  const fail = (problem: string): TimeParseError =>
    new TimeParseError(`parsing time ${goQuote(text)}${problem}`);
  const mismatch = (element: string): TimeParseError =>
    fail(` as ${goQuote(layout.join(''))}: cannot parse ${goQuote(rest)} as ${goQuote(element)}`);
  const take = (pattern: RegExp, element: string): string => {
    const found = pattern.exec(rest)?.[0];
    if (found === undefined) throw mismatch(element);
    rest = rest.slice(found.length);
    return found;
  };
  for (const element of layout) {
    switch (element) {
      case '2006':
        numbers.push(Number(take(/^\d{4}/, element)));
        break;
      case '01':
      case '02':
      case '04':
      case '05':
        numbers.push(Number(take(/^\d\d/, element)));
        if (element === '01' && !within(numbers[1], 1, 12)) throw fail(': month out of range');
        if (element === '04' && !within(numbers[4], 0, 59)) throw fail(': minute out of range');
        if (element === '05' && !within(numbers[5], 0, 59)) throw fail(': second out of range');
        if (element === '05' && layout === rfc3339) fraction = (/^[.,]\d+/.exec(rest)?.[0] ?? '').slice(1);
        if (fraction !== '') rest = rest.slice(fraction.length + 1);
        break;
      case '15':
        numbers.push(Number(take(/^\d\d?/, element)));
        if (!within(numbers[3], 0, 23)) throw fail(': hour out of range');
        break;
      case '.000000':
        fraction = take(/^\.\d{6}(?!\d)/, element).slice(1);
        break;
      case 'Z07:00':
        zone = take(/^(?:Z|[+-]\d\d:\d\d)/, element);
        if (zone !== 'Z' && (Number(zone.slice(1, 3)) > 24 || Number(zone.slice(4)) > 60))
          throw fail(': time zone offset hour out of range');
        break;
      default:
        take(new RegExp(`^${element}`), element);
    }
  }
  if (rest !== '') throw fail(`: extra text: ${goQuote(rest)}`);
  const [year = 0, month = 1, day = 1] = numbers;
  if (!within(day, 1, daysIn(year, month))) throw fail(': day out of range');
  return { numbers, fraction, zone };
}

function within(value: number | undefined, low: number, high: number): boolean {
  return value !== undefined && value >= low && value <= high;
}

function offsetMinutes(zone: string): number {
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4));
  return zone.startsWith('-') ? -minutes : minutes;
}
