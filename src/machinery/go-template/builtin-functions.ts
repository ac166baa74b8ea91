import { plain, sprint, sprintf, sprintln } from './format-verbs.ts';
import { isFunctionValue } from './function-value.ts';
import { argumentProblem, callFunction, templateFunction, type FunctionMap } from './template-function.ts';
import { goTypeOf, isNone, isTemplateMap, isTrue, memberOf } from './template-value.ts';

/** The functions that every Go template has; `and` and `or` belong to the evaluation. */
export const builtinFunctions: FunctionMap = {
  and: templateFunction(['any'], () => undefined, 'any'),
  or: templateFunction(['any'], () => undefined, 'any'),
  not: templateFunction(['any'], (value: unknown) => !isTrue(value)),
  print: templateFunction([], (...values: unknown[]) => sprint(values), 'any'),
  println: templateFunction([], (...values: unknown[]) => sprintln(values), 'any'),
  printf: templateFunction(
    ['string'],
    (format: string, ...values: unknown[]) => sprintf(format, values),
    'any',
  ),
  len: templateFunction(['any'], lengthOf),
  index: templateFunction(['any'], indexed, 'any'),
  slice: templateFunction(['any'], sliced, 'any'),
  call: templateFunction(['any'], called, 'any'),
  html: templateFunction([], (...values: unknown[]) => escapeHtml(oneText(values)), 'any'),
  js: templateFunction([], (...values: unknown[]) => escapeJs(oneText(values)), 'any'),
  urlquery: templateFunction([], (...values: unknown[]) => escapeQuery(oneText(values)), 'any'),
  eq: templateFunction(['any'], isEqualToAny, 'any'),
  ne: templateFunction(['any', 'any'], (a: unknown, b: unknown) => !areEqual(a, b)),
  lt: templateFunction(['any', 'any'], (a: unknown, b: unknown) => isLess(a, b)),
  le: templateFunction(['any', 'any'], (a: unknown, b: unknown) => isLess(a, b) || areEqual(a, b)),
  gt: templateFunction(['any', 'any'], (a: unknown, b: unknown) => !(isLess(a, b) || areEqual(a, b))),
  ge: templateFunction(['any', 'any'], (a: unknown, b: unknown) => !isLess(a, b)),
};

function lengthOf(value: unknown): bigint {
  if (typeof value === 'string') return BigInt(Buffer.byteLength(value));
  if (Array.isArray(value) || value instanceof Uint8Array) return BigInt(value.length);
  if (isTemplateMap(value)) return BigInt(Object.keys(value).length);
  if (isNone(value)) throw new Error('len of nil pointer');
  throw new Error(`len of type ${goTypeOf(value)}`);
}

function indexed(item: unknown, ...keys: unknown[]): unknown {
  let value = item;
  if (isNone(value)) throw new Error('index of untyped nil');
  for (const key of keys) value = indexOnce(value, key);
  return value;
}

function indexOnce(value: unknown, key: unknown): unknown {
  if (isTemplateMap(value)) {
    if (isNone(key)) throw new Error('value is nil; should be of type string');
    if (typeof key !== 'string') throw new Error(`value has type ${goTypeOf(key)}; should be string`);
    return memberOf(value, key);
  }
  if (typeof value === 'string')
    return BigInt(Buffer.from(value)[position(key, Buffer.byteLength(value))] ?? 0);
  if (Array.isArray(value) || value instanceof Uint8Array) {
    const found: unknown = value[position(key, value.length)];
    return found;
  }
  if (isNone(value)) throw new Error('index of nil pointer');
  throw new Error(`can't index item of type ${goTypeOf(value)}`);
}

function position(key: unknown, length: number): number {
  const at = offset(key);
  if (at < 0 || at >= length) throw new Error(`index out of range: ${at}`);
  return at;
}

function offset(key: unknown): number {
  if (isNone(key)) throw new Error('cannot index slice/array with nil');
  if (typeof key !== 'bigint') throw new Error(`cannot index slice/array with type ${goTypeOf(key)}`);
  return Number(key);
}

function sliced(item: unknown, ...bounds: unknown[]): unknown {
  if (isNone(item)) throw new Error('slice of untyped nil');
  if (bounds.length > 3) throw new Error(`too many slice indexes: ${bounds.length}`);
  if (typeof item === 'string') {
    if (bounds.length === 3) throw new Error('cannot 3-index slice a string');
    const bytes = Buffer.from(item);
    const [from, to] = range(bounds, bytes.length);
    return bytes.subarray(from, to).toString();
  }
  if (!Array.isArray(item) && !(item instanceof Uint8Array))
    throw new Error(`can't slice item of type ${goTypeOf(item)}`);
  const [from, to] = range(bounds, item.length);
  return item.slice(from, to) as unknown;
}

function range(bounds: readonly unknown[], length: number): readonly [number, number] {
  const offsets = bounds.map(offset);
  for (const at of offsets) if (at < 0 || at > length) throw new Error(`index out of range: ${at}`);
  const [from = 0, to = length] = offsets;
  if (from > to) throw new Error(`invalid slice index: ${from} > ${to}`);
  return [from, to];
}

function called(target: unknown, ...args: unknown[]): unknown {
  if (isNone(target)) throw new Error('call of nil');
  if (!isFunctionValue(target)) throw new Error(`non-function ${plain(target)} of type ${goTypeOf(target)}`);
  const problem = argumentProblem('call', target, args);
  if (problem !== undefined) throw new Error(problem);
  return callFunction(target, args);
}

type Kind = 'bool' | 'int' | 'float' | 'string' | 'none' | 'other';

function kindOf(value: unknown): Kind {
  if (isNone(value)) return 'none';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'float';
  return typeof value === 'string' ? 'string' : 'other';
}

function areEqual(a: unknown, b: unknown): boolean {
  const left = kindOf(a);
  const right = kindOf(b);
  if (left === 'none' || right === 'none') return left === right;
  if (left !== right) throw new Error('incompatible types for comparison');
  if (left === 'other' && (Array.isArray(a) || isTemplateMap(a)))
    throw new Error(`non-comparable type ${plain(a)}: ${goTypeOf(a)}`);
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  return a === b;
}

function isEqualToAny(first: unknown, ...others: unknown[]): boolean {
  if (others.length === 0) throw new Error('missing argument for comparison');
  return others.some((other) => areEqual(first, other));
}

function isLess(a: unknown, b: unknown): boolean {
  const left = kindOf(a);
  const right = kindOf(b);
  if (left === 'none' || left === 'other' || right === 'none' || right === 'other')
    throw new Error('invalid type for comparison');
  if (left !== right) throw new Error('incompatible types for comparison');
  if (left === 'bool') throw new Error('invalid type for comparison');
  if (typeof a === 'string' && typeof b === 'string')
    return Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;
  if (typeof a === 'bigint' && typeof b === 'bigint') return a < b;
  return Number(a) < Number(b);
}

function oneText(values: readonly unknown[]): string {
  return values.length === 1 && typeof values[0] === 'string' ? values[0] : sprint(values);
}

const htmlEscapes: Readonly<Record<string, string>> = {
  '"': '&#34;',
  "'": '&#39;',
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\0': '\uFFFD',
};

function escapeHtml(value: string): string {
  // oxlint-disable-next-line no-control-regex
  return value.replaceAll(/["'&<>\0]/g, (char) => htmlEscapes[char] ?? char);
}

const jsEscapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": "\\'",
  '"': '\\"',
  '<': '\\u003C',
  '>': '\\u003E',
  '&': '\\u0026',
  '=': '\\u003D',
};

function escapeJs(value: string): string {
  return value.replaceAll(/[\\'"<>&=]|\p{Cc}/gu, (char) => {
    const code = char.charCodeAt(0).toString(16).toUpperCase();
    return jsEscapes[char] ?? `\\u${code.padStart(4, '0')}`;
  });
}

/** As Go's `url.QueryEscape`. */
export function escapeQuery(value: string): string {
  return encodeURIComponent(value)
    .replaceAll('%20', '+')
    .replaceAll(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}
