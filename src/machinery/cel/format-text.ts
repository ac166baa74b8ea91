import { evaluationError } from './evaluation-error.ts';
import { formatDouble } from './format-double.ts';
import { formatTimestamp } from './timestamp-text.ts';
import { tagged } from './value-guards.ts';
import { items, typeNameOf } from './value.ts';
import type { CelValue } from './value.ts';

const CLAUSE = /%(?:(%)|(?:\.([0-9]+))?(.?))/gsu;

/** The strings extension's `format`: `%s %d %f %e %b %x %X %o`, with a precision for `%f` and `%e`. */
export function formatText(pattern: string, args: readonly CelValue[]): string {
  let next = 0;
  const text = pattern.replaceAll(CLAUSE, (_all, percent?: string, precision?: string, verb?: string) => {
    if (percent === '%') return '%';
    if (next >= args.length) return evaluationError(`index ${next} out of range`);
    const value = args[next++] ?? null;
    return formatClause(verb ?? '', value, precision === undefined ? 6 : Number(precision));
  });
  if (next < args.length) return evaluationError('not all arguments converted');
  return text;
}

function formatClause(verb: string, value: CelValue, precision: number): string {
  switch (verb) {
    case 's':
      return formatString(value);
    case 'd':
      return formatDecimal(value);
    case 'f':
      return formatFixed(value, precision);
    case 'e':
      return formatScientific(value, precision);
    case 'b':
      return formatBinary(value);
    case 'x':
      return formatHex(value);
    case 'X':
      return formatHex(value).toUpperCase();
    case 'o':
      return formatOctal(value);
    default:
      return evaluationError(`could not parse formatting clause: unrecognized formatting clause "${verb}"`);
  }
}

function formatString(value: CelValue): string {
  if (value === null) return 'null';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return formatDouble(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('utf8');
  const own = tagged(value);
  switch (own?.kind) {
    case undefined:
      return typeof value === 'bigint' || typeof value === 'boolean' ? String(value) : '';
    case 'uint':
      return String(own.value);
    case 'timestamp':
      return formatTimestamp(own);
    case 'duration':
      return `${formatDouble(Number(own.nanos) / 1e9)}s`;
    case 'type':
      return own.name;
    case 'list':
      return `[${items(own)
        .map((item) => formatString(item))
        .join(', ')}]`;
    case 'map': {
      const entries = own.keys().map((key) => [formatString(key), formatString(own.get(key) ?? null)]);
      const sorted = entries.toSorted(([left = ''], [right = '']) => (left < right ? -1 : 1));
      return `{${sorted.map(([key, member]) => `${key}: ${member}`).join(', ')}}`;
    }
    default:
      return wrongType(
        'string',
        'strings, bools, bytes, ints, doubles, maps, lists, types, durations, and timestamps',
        value,
      );
  }
}

function wrongType(verb: string, allowed: string, value: CelValue): never {
  return evaluationError(
    `error during formatting: ${verb} clause can only be used on ${allowed}, was given ${typeNameOf(value)}`,
  );
}

function wholeNumber(value: CelValue): bigint | undefined {
  if (typeof value === 'bigint') return value;
  const own = tagged(value);
  return own?.kind === 'uint' ? own.value : undefined;
}

function formatDecimal(value: CelValue): string {
  const whole = wholeNumber(value);
  if (whole !== undefined) return String(whole);
  if (typeof value === 'number') return formatDouble(value);
  return wrongType('decimal', 'integers', value);
}

function decimalNumber(verb: string, value: CelValue): number {
  if (typeof value === 'number') return value;
  const whole = wholeNumber(value);
  if (whole !== undefined) return Number(whole);
  return wrongType(verb, 'doubles', value);
}

function formatFixed(value: CelValue, precision: number): string {
  const number = decimalNumber('fixed-point', value);
  return Number.isFinite(number)
    ? number.toFixed(Math.min(precision, 100))
    : formatDouble(number).replace('+', '');
}

function formatScientific(value: CelValue, precision: number): string {
  const number = decimalNumber('scientific', value);
  if (!Number.isFinite(number)) return formatDouble(number).replace('+', '');
  const [mantissa = '', exponent = '0'] = number.toExponential(Math.min(precision, 100)).split('e');
  return `${mantissa}e${exponent.startsWith('-') ? '-' : '+'}${exponent.replace(/^[+-]/, '').padStart(2, '0')}`;
}

function formatBinary(value: CelValue): string {
  if (typeof value === 'boolean') return value ? '1' : '0';
  const whole = wholeNumber(value);
  return whole === undefined ? wrongType('binary', 'integers and bools', value) : whole.toString(2);
}

function formatHex(value: CelValue): string {
  if (typeof value === 'string') return Buffer.from(value).toString('hex');
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  const whole = wholeNumber(value);
  return whole === undefined
    ? wrongType('hex', 'integers, byte buffers, and strings', value)
    : whole.toString(16);
}

function formatOctal(value: CelValue): string {
  const whole = wholeNumber(value);
  return whole === undefined ? wrongType('octal', 'integers', value) : whole.toString(8);
}
