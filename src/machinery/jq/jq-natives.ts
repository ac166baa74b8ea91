import { JqError } from './jq-error.ts';
import {
  compareValues,
  contains,
  deletePaths,
  describe,
  getPath,
  indicesOf,
  isJqObject,
  isTruthy,
  setPath,
  toJson,
  typeOf,
} from './jq-value.ts';
import { matchAll, splitBy } from './jq-regex.ts';

/** What functions of the machine's own world need. */
export interface JqWorld {
  /** Milliseconds since the epoch, for `now`. */
  readonly now: () => number;
}

/** A function of values: the input, then its arguments. It yields one value. */
export type JqNative = (input: unknown, args: readonly unknown[], world: JqWorld) => unknown;

const math = (
  name: keyof Math & ('floor' | 'ceil' | 'round' | 'sqrt' | 'log' | 'log2' | 'log10' | 'exp' | 'trunc'),
): JqNative => {
  return (input) => Math[name](numberOf(input, name));
};

/** By name and number of arguments: `has/1`. */
export const jqNatives: Readonly<Record<string, JqNative>> = {
  'not/0': (input) => !isTruthy(input),
  'length/0': length,
  'utf8bytelength/0': (input) => Buffer.byteLength(textOf(input, 'utf8bytelength')),
  'keys/0': (input) => keysOf(input, 'sorted'),
  'keys_unsorted/0': (input) => keysOf(input, 'as they are'),
  'has/1': (input, [key]) => has(input, key),
  'contains/1': (input, [part]) => contains(input, part),
  'type/0': typeOf,
  'tostring/0': (input) => (typeof input === 'string' ? input : toJson(input)),
  'tojson/0': toJson,
  'fromjson/0': fromJson,
  'tonumber/0': toNumber,
  'toboolean/0': (input) => {
    if (input === true || input === 'true') return true;
    if (input === false || input === 'false') return false;
    throw new JqError(`${describe(input)} cannot be parsed as a boolean`);
  },
  'infinite/0': () => Infinity,
  'nan/0': () => NaN,
  'isinfinite/0': (input) => Math.abs(numberOf(input, 'isinfinite')) === Infinity,
  'isnan/0': (input) => Number.isNaN(numberOf(input, 'isnan')),
  'isnormal/0': (input) => Number.isFinite(input) && input !== 0,
  'floor/0': math('floor'),
  'ceil/0': math('ceil'),
  'round/0': math('round'),
  'trunc/0': math('trunc'),
  'sqrt/0': math('sqrt'),
  'log/0': math('log'),
  'log2/0': math('log2'),
  'log10/0': math('log10'),
  'exp/0': math('exp'),
  'fabs/0': (input) => Math.abs(numberOf(input, 'fabs')),
  'pow/2': (_, [base, exponent]) => numberOf(base, 'pow') ** numberOf(exponent, 'pow'),
  'sort/0': (input) => [...arrayOf(input, 'sort')].sort(compareValues),
  '_sort_by/1': (input, [keys]) => byKeys(input, keys).map(({ item }) => item),
  '_group_by/1': groupBy,
  'reverse/0': (input) =>
    typeof input === 'string'
      ? Array.from(input).reverse().join('')
      : [...arrayOf(input ?? [], 'reverse')].reverse(),
  'flatten/1': (input, [depth]) => arrayOf(input, 'flatten').flat(Math.min(1000, numberOf(depth, 'flatten'))),
  'join/1': (input, [separator]) =>
    arrayOf(input, 'join')
      .map((item) => (item === null ? '' : typeof item === 'string' ? item : toJson(item)))
      .join(textOf(separator, 'join')),
  'startswith/1': (input, [start]) => textOf(input, 'startswith').startsWith(textOf(start, 'startswith')),
  'endswith/1': (input, [end]) => textOf(input, 'endswith').endsWith(textOf(end, 'endswith')),
  'ltrimstr/1': (input, [start]) =>
    typeof input === 'string' && typeof start === 'string' && input.startsWith(start)
      ? input.slice(start.length)
      : input,
  'rtrimstr/1': (input, [end]) =>
    typeof input === 'string' && typeof end === 'string' && end !== '' && input.endsWith(end)
      ? input.slice(0, -end.length)
      : input,
  'trim/0': (input) => textOf(input, 'trim').trim(),
  'ltrim/0': (input) => textOf(input, 'ltrim').trimStart(),
  'rtrim/0': (input) => textOf(input, 'rtrim').trimEnd(),
  'ascii_downcase/0': (input) =>
    textOf(input, 'ascii_downcase').replaceAll(/[A-Z]/g, (char) => char.toLowerCase()),
  'ascii_upcase/0': (input) =>
    textOf(input, 'ascii_upcase').replaceAll(/[a-z]/g, (char) => char.toUpperCase()),
  'explode/0': (input) => Array.from(textOf(input, 'explode'), (char) => char.codePointAt(0)),
  'implode/0': (input) =>
    String.fromCodePoint(...arrayOf(input, 'implode').map((code) => numberOf(code, 'implode'))),
  'split/1': (input, [separator]) => {
    const text = textOf(input, 'split');
    return text === '' ? [] : text.split(textOf(separator, 'split'));
  },
  'split/2': (input, [pattern, flags]) => splitBy(textOf(input, 'split'), pattern, flags),
  'indices/1': indices,
  'index/1': (input, args) => indices(input, args)?.[0] ?? null,
  'rindex/1': (input, args) => indices(input, args)?.at(-1) ?? null,
  'getpath/1': (input, [path]) => getPath(input, arrayOf(path, 'getpath')),
  'setpath/2': (input, [path, value]) => setPath(input, arrayOf(path, 'setpath'), value),
  'delpaths/1': (input, [paths]) =>
    deletePaths(
      input,
      arrayOf(paths, 'delpaths').map((path) => arrayOf(path, 'delpaths')),
    ),
  'now/0': (_, __, { now }) => now() / 1000,
  'mktime/0': (input) => fromBrokenDown(input),
  'gmtime/0': (input) => brokenDown(numberOf(input, 'gmtime')),
  'todateiso8601/0': (input) => `${new Date(numberOf(input, 'todate') * 1000).toISOString().slice(0, 19)}Z`,
  'fromdateiso8601/0': (input) => {
    const ms = Date.parse(textOf(input, 'fromdate'));
    if (Number.isNaN(ms)) throw new JqError(`${describe(input)} cannot be parsed as a date`);
    return Math.floor(ms / 1000);
  },
  'error/0': (input) => {
    throw errorOf(input);
  },
  'error/1': (_, [value]) => {
    throw errorOf(value);
  },
};

/** Functions that may yield any number of values. */
export const jqGenerators: Readonly<
  Record<string, (input: unknown, args: readonly unknown[]) => Iterable<unknown>>
> = {
  'empty/0': () => [],
  'range/3': (_, [from, to, by]) =>
    range(numberOf(from, 'range'), numberOf(to, 'range'), numberOf(by, 'range')),
  'match/2': (input, [pattern, flags]) => matchAll(textOf(input, 'match'), pattern, flags),
};

function* range(from: number, to: number, by: number): Generator<number> {
  if (by > 0) for (let at = from; at < to; at += by) yield at;
  else if (by < 0) for (let at = from; at > to; at += by) yield at;
}

function errorOf(value: unknown): JqError {
  return new JqError(typeof value === 'string' ? value : `${toJson(value)} (not a string)`, value);
}

function numberOf(value: unknown, name: string): number {
  if (typeof value === 'number') return value;
  throw new JqError(`${name} cannot be applied to: ${describe(value)}`);
}

function textOf(value: unknown, name: string): string {
  if (typeof value === 'string') return value;
  throw new JqError(`${name} cannot be applied to: ${describe(value)}`);
}

function arrayOf(value: unknown, name: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new JqError(`${name} cannot be applied to: ${describe(value)}`);
}

function length(value: unknown): number {
  if (typeof value === 'string') return Array.from(value).length;
  if (Array.isArray(value)) return value.length;
  if (isJqObject(value)) return Object.keys(value).length;
  if (typeof value === 'number') return Math.abs(value);
  if (typeOf(value) === 'null') return 0;
  throw new JqError(`length cannot be applied to: ${describe(value)}`);
}

function keysOf(value: unknown, wanted: 'sorted' | 'as they are'): unknown[] {
  if (Array.isArray(value)) return Array.from(value.keys());
  if (!isJqObject(value)) throw new JqError(`keys cannot be applied to: ${describe(value)}`);
  const keys = Object.keys(value);
  return wanted === 'sorted' ? keys.sort() : keys;
}

function has(value: unknown, key: unknown): boolean {
  if (isJqObject(value) && typeof key === 'string') return Object.hasOwn(value, key);
  if (Array.isArray(value) && typeof key === 'number') return key >= 0 && key < value.length;
  throw new JqError(`cannot check whether ${typeOf(value)} has a key: ${describe(key)}`);
}

function toNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
  if (Number.isNaN(number)) throw new JqError(`tonumber cannot be applied to: ${describe(value)}`);
  return number;
}

function fromJson(value: unknown): unknown {
  try {
    return JSON.parse(textOf(value, 'fromjson')) as unknown;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new JqError(`fromjson cannot be applied to: ${describe(value)}`);
  }
}

function byKeys(input: unknown, keys: unknown): { item: unknown; key: unknown }[] {
  const items = arrayOf(input, 'sort_by');
  const found = arrayOf(keys, 'sort_by');
  return items.map((item, at) => ({ item, key: found[at] })).sort((a, b) => compareValues(a.key, b.key));
}

function groupBy(input: unknown, [keys]: readonly unknown[]): unknown[][] {
  const groups: { key: unknown; items: unknown[] }[] = [];
  for (const { item, key } of byKeys(input, keys)) {
    const last = groups.at(-1);
    if (last && compareValues(last.key, key) === 0) last.items.push(item);
    else groups.push({ key, items: [item] });
  }
  return groups.map(({ items }) => items);
}

function indices(input: unknown, [part]: readonly unknown[]): number[] | null {
  if (input === null) return null;
  if (typeof input === 'string' && typeof part === 'string')
    return indicesOf(Array.from(input), Array.from(part));
  return indicesOf(arrayOf(input, 'indices'), Array.isArray(part) ? part : [part]);
}

function brokenDown(seconds: number): number[] {
  const date = new Date(seconds * 1000);
  const startOfYear = Date.UTC(date.getUTCFullYear(), 0, 1);
  return [
    date.getUTCFullYear(),
    date.getUTCMonth(),
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds() + (seconds % 1),
    date.getUTCDay(),
    Math.floor((date.getTime() - startOfYear) / 86_400_000),
  ];
}

function fromBrokenDown(value: unknown): number {
  const [year = 1970, month = 0, day = 1, hour = 0, minute = 0, second = 0] = arrayOf(value, 'mktime').map(
    (part) => numberOf(part, 'mktime'),
  );
  return Math.floor(Date.UTC(year, month, day, hour, minute, second) / 1000);
}
