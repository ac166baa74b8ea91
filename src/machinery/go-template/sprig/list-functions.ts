import { templateFunction as define, type FunctionMap } from '../template-function.ts';
import { isNone, isTrue } from '../template-value.ts';
import { jsonOf, toInteger, toList } from './casts.ts';

const first = (value: unknown): unknown => toList(value, 'first')[0];
const rest = (value: unknown): unknown => toList(value, 'rest').slice(1);
const last = (value: unknown): unknown => toList(value, 'last').at(-1);
const initial = (value: unknown): unknown => toList(value, 'initial').slice(0, -1);
const append = (value: unknown, item: unknown): unknown => [...toList(value, 'append'), item];
const prepend = (value: unknown, item: unknown): unknown => [item, ...toList(value, 'prepend')];
const reverse = (value: unknown): unknown => [...toList(value, 'reverse')].reverse();
const compact = (value: unknown): unknown => toList(value, 'compact').filter(isTrue);
const without = (value: unknown, ...items: unknown[]): unknown =>
  toList(value, 'without').filter((one) => !items.some((item) => same(one, item)));
const has = (item: unknown, value: unknown): unknown =>
  !isNone(value) && toList(value, 'has').some((one) => same(one, item));
const uniq = (value: unknown): unknown =>
  toList(value, 'uniq').filter((one, at, all) => all.findIndex((other) => same(one, other)) === at);

/** Sprig's functions of lists, each also as `must…`, and those of numbers in a row. */
export const listFunctions: FunctionMap = {
  list: define([], (...values: unknown[]) => values, 'any'),
  tuple: define([], (...values: unknown[]) => values, 'any'),
  first: define(['any'], first),
  mustFirst: define(['any'], first),
  rest: define(['any'], rest),
  mustRest: define(['any'], rest),
  last: define(['any'], last),
  mustLast: define(['any'], last),
  initial: define(['any'], initial),
  mustInitial: define(['any'], initial),
  append: define(['any', 'any'], append),
  push: define(['any', 'any'], append),
  mustAppend: define(['any', 'any'], append),
  prepend: define(['any', 'any'], prepend),
  mustPrepend: define(['any', 'any'], prepend),
  concat: define([], (...lists: unknown[]) => lists.flatMap((one) => toList(one, 'concat')), 'any'),
  reverse: define(['any'], reverse),
  mustReverse: define(['any'], reverse),
  uniq: define(['any'], uniq),
  mustUniq: define(['any'], uniq),
  without: define(['any'], without, 'any'),
  mustWithout: define(['any'], without, 'any'),
  has: define(['any', 'any'], has),
  mustHas: define(['any', 'any'], has),
  compact: define(['any'], compact),
  mustCompact: define(['any'], compact),
  slice: define(['any'], sliced, 'any'),
  chunk: define(['int', 'any'], (size: bigint, value: unknown) => {
    const items = toList(value, 'chunk');
    const step = Math.max(1, Number(size));
    return Array.from({ length: Math.ceil(items.length / step) }, (_, at) =>
      items.slice(at * step, (at + 1) * step),
    );
  }),
  until: define(['any'], (count: unknown) =>
    sequence(0n, toInteger(count), toInteger(count) < 0n ? -1n : 1n),
  ),
  untilStep: define(['any', 'any', 'any'], (from: unknown, to: unknown, by: unknown) =>
    sequence(toInteger(from), toInteger(to), toInteger(by)),
  ),
  seq: define(
    [],
    (...values: unknown[]) => {
      const [a = 1n, b, c] = values.map(toInteger);
      const [from, by, to] =
        b === undefined ? [1n, a < 1n ? -1n : 1n, a] : c === undefined ? [a, b < a ? -1n : 1n, b] : [a, b, c];
      return sequence(from, by > 0n ? to + 1n : to - 1n, by).join(' ');
    },
    'any',
  ),
};

/** Lists and texts, from one position up to another. */
function sliced(value: unknown, ...bounds: unknown[]): unknown {
  const [from = 0, to] = bounds.map((one) => Number(toInteger(one)));
  if (typeof value === 'string') return Buffer.from(value).subarray(from, to).toString();
  return toList(value, 'slice').slice(from, to);
}

function sequence(from: bigint, to: bigint, by: bigint): bigint[] {
  const numbers: bigint[] = [];
  if (by > 0n) for (let at = from; at < to; at += by) numbers.push(at);
  else if (by < 0n) for (let at = from; at > to; at += by) numbers.push(at);
  return numbers;
}

function same(a: unknown, b: unknown): boolean {
  return a === b || (typeof a === typeof b && JSON.stringify(jsonOf(a)) === JSON.stringify(jsonOf(b)));
}
