import { goQuote } from '../go-quote.ts';
import { formatFloat, formatShortest } from './format-float.ts';
import { goTypeOf, isNone, isTemplateMap, sortedKeys, TemplateObject } from './template-value.ts';

/** A value as an action prints it. */
export function formatValue(value: unknown): string {
  return isNone(value) ? '<no value>' : plain(value);
}

/** `%v`. */
export function plain(value: unknown): string {
  if (isNone(value)) return '<nil>';
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return formatShortest(value);
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value instanceof Date)
    return `${value
      .toISOString()
      .replace('T', ' ')
      .replace(/\.?0*Z$/, '')} +0000 UTC`;
  if (value instanceof Uint8Array || Array.isArray(value))
    return `[${Array.from<unknown>(value).map(plain).join(' ')}]`;
  if (value instanceof TemplateObject) return `{${[...value.members.values()].map(plain).join(' ')}}`;
  if (isTemplateMap(value))
    return `map[${sortedKeys(value)
      .map((key) => `${key}:${plain(value[key])}`)
      .join(' ')}]`;
  return '?';
}

/** As `fmt.Sprint`: a blank between operands neither of which is a string. */
export function sprint(values: readonly unknown[]): string {
  return values
    .map((value, index) => {
      const before = values[index - 1];
      const spaced = index > 0 && typeof before !== 'string' && typeof value !== 'string';
      return `${spaced ? ' ' : ''}${plain(value)}`;
    })
    .join('');
}

/** As `fmt.Sprintln`. */
export function sprintln(values: readonly unknown[]): string {
  return `${values.map(plain).join(' ')}\n`;
}

interface Directive {
  readonly flags: string;
  readonly width: number | undefined;
  readonly precision: number | undefined;
  readonly verb: string;
}

const directive = /%([-+# 0]*)(?:\[(\d+)\])?(\*|\d+)?(?:\.(?:\[(\d+)\])?(\*|\d*))?(?:\[(\d+)\])?([\s\S]|$)/gu;

/** As `fmt.Sprintf`, with its notes about missing, extra and unsuitable operands. */
export function sprintf(format: string, values: readonly unknown[]): string {
  let next = 0;
  let reordered = false;
  const take = (index: string | undefined): unknown => {
    if (index !== undefined) {
      reordered = true;
      next = Number(index) - 1;
    }
    return values[next++];
  };
  const text = format.replaceAll(directive, (...groups: unknown[]) => {
    const [, flags = '', widthIndex, widthText, precisionIndex, precisionText, index, verb = ''] = groups as (
      | string
      | undefined
    )[];
    if (verb === '%') return '%';
    if (verb === '') return '%!(NOVERB)';
    let allFlags = flags;
    let width = widthText === '*' ? Number(take(widthIndex)) : numberOf(widthText);
    if (width !== undefined && width < 0) {
      allFlags += '-';
      width = -width;
    }
    const precision =
      precisionText === '*' ? Number(take(precisionIndex)) : numberOf(precisionText, precisionText === '');
    const position = widthText === '*' ? index : (index ?? widthIndex);
    if (
      position === undefined
        ? next >= values.length
        : Number(position) > values.length || Number(position) < 1
    )
      return position === undefined ? `%!${verb}(MISSING)` : `%!${verb}(BADINDEX)`;
    return formatOne(take(position), { flags: allFlags, width, precision, verb });
  });
  if (reordered || next >= values.length) return text;
  const extra = values
    .slice(next)
    .map((value) => (isNone(value) ? '<nil>' : `${goTypeOf(value)}=${plain(value)}`));
  return `${text}%!(EXTRA ${extra.join(', ')})`;
}

function numberOf(text: string | undefined, orZero = false): number | undefined {
  if (text === undefined || text === '') return orZero && text !== undefined ? 0 : undefined;
  return Number(text);
}

function formatOne(value: unknown, to: Directive): string {
  const { verb } = to;
  if (verb === 'T') return pad(goTypeOf(value), to);
  if (verb === 'v') return pad(verbose(value, to), to);
  if (isNone(value)) return pad(`%!${verb}(<nil>)`, to);
  if (Array.isArray(value)) return `[${value.map((item: unknown) => formatOne(item, to)).join(' ')}]`;
  if (isTemplateMap(value))
    return `map[${sortedKeys(value)
      .map((key) => `${formatOne(key, to)}:${formatOne(value[key], to)}`)
      .join(' ')}]`;
  const text = formatScalar(value, to);
  return text ?? `%!${verb}(${goTypeOf(value)}=${plain(value)})`;
}

function verbose(value: unknown, to: Directive): string {
  if (to.flags.includes('#')) return goSyntax(value);
  if (typeof value === 'bigint') return signed(value < 0n, String(value < 0n ? -value : value), to);
  if (typeof value === 'number' && to.precision !== undefined) return floating(value, { ...to, verb: 'g' });
  return typeof value === 'string' && to.precision !== undefined
    ? Array.from(value).slice(0, to.precision).join('')
    : plain(value);
}

function goSyntax(value: unknown): string {
  if (isNone(value)) return '<nil>';
  if (typeof value === 'string') return goQuote(value);
  if (Array.isArray(value)) return `[]interface {}{${value.map(goSyntax).join(', ')}}`;
  if (!isTemplateMap(value)) return plain(value);
  const members = sortedKeys(value).map((key) => `${goQuote(key)}:${goSyntax(value[key])}`);
  return `map[string]interface {}{${members.join(', ')}}`;
}

function formatScalar(value: unknown, to: Directive): string | undefined {
  switch (typeof value) {
    case 'boolean':
      return to.verb === 't' ? pad(String(value), to) : undefined;
    case 'bigint':
      return integer(value, to);
    case 'number':
      return 'eEfFgG'.includes(to.verb) ? pad(floating(value, to), to) : undefined;
    case 'string':
      return text(value, to);
    default:
      return to.verb === 's' ? pad(plain(value), to) : undefined;
  }
}

function text(value: string, to: Directive): string | undefined {
  const cut = to.precision === undefined ? value : Array.from(value).slice(0, to.precision).join('');
  switch (to.verb) {
    case 's':
      return pad(cut, to);
    case 'q':
      return pad(to.flags.includes('#') && !/[`\r]/.test(cut) ? `\`${cut}\`` : goQuote(cut), to);
    case 'x':
    case 'X': {
      const hex = Buffer.from(cut).toString('hex');
      return pad(to.verb === 'X' ? hex.toUpperCase() : hex, to);
    }
    default:
      return undefined;
  }
}

const bases: Readonly<Record<string, readonly [base: number, prefix: string]>> = {
  d: [10, ''],
  b: [2, '0b'],
  o: [8, '0'],
  O: [8, '0o'],
  x: [16, '0x'],
  X: [16, '0X'],
};

function integer(value: bigint, to: Directive): string | undefined {
  if (to.verb === 'c') return pad(String.fromCodePoint(Number(value)), to);
  if (to.verb === 'q') return pad(`'${String.fromCodePoint(Number(value))}'`, to);
  if (to.verb === 'U') return pad(`U+${value.toString(16).toUpperCase().padStart(4, '0')}`, to);
  const base = bases[to.verb];
  if (!base) return undefined;
  const magnitude = value < 0n ? -value : value;
  let digits = magnitude.toString(base[0]).padStart(to.precision ?? 1, '0');
  if (to.verb === 'X') digits = digits.toUpperCase();
  if (to.flags.includes('#') || to.verb === 'O') digits = base[1] + digits;
  return pad(signed(value < 0n, digits, to), to);
}

function signed(negative: boolean, digits: string, { flags }: Directive): string {
  if (negative) return `-${digits}`;
  if (flags.includes('+')) return `+${digits}`;
  return flags.includes(' ') ? ` ${digits}` : digits;
}

function floating(value: number, to: Directive): string {
  const negative = value < 0 || Object.is(value, -0);
  return signed(negative, formatFloat(Math.abs(value), to.verb, to.precision), to);
}

function pad(value: string, { width, flags, verb }: Directive): string {
  const missing = (width ?? 0) - Array.from(value).length;
  if (missing <= 0) return value;
  if (flags.includes('-')) return value + ' '.repeat(missing);
  if (!flags.includes('0') || verb === 'v' || verb === 'T') return ' '.repeat(missing) + value;
  const sign = /^[-+ ]/.exec(value)?.[0] ?? '';
  return sign + '0'.repeat(missing) + value.slice(sign.length);
}
