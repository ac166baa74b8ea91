import { plain } from '../format-verbs.ts';
import { templateFunction as define, type FunctionMap } from '../template-function.ts';
import { isNone, isTemplateMap, isTrue, memberOf, sortedKeys, type TemplateMap } from '../template-value.ts';
import { toMap } from './casts.ts';

/** Sprig's functions of dictionaries. `set` and `unset` change the dictionary itself, which templates rely on. */
export const mapFunctions: FunctionMap = {
  dict: define([], dict, 'any'),
  get: define(['map', 'string'], (map: TemplateMap, key: string) => memberOf(map, key) ?? ''),
  set: define(['map', 'string', 'any'], (map: Record<string, unknown>, key: string, value: unknown) => {
    map[key] = value;
    return map;
  }),
  unset: define(['map', 'string'], (map: Record<string, unknown>, key: string) => {
    Reflect.deleteProperty(map, key);
    return map;
  }),
  hasKey: define(['map', 'string'], (map: TemplateMap, key: string) => Object.hasOwn(map, key)),
  keys: define([], (...maps: unknown[]) => maps.flatMap((map) => sortedKeys(toMap(map))), 'any'),
  values: define(['map'], (map: TemplateMap) => sortedKeys(map).map((key) => map[key])),
  pluck: define(
    ['string'],
    (key: string, ...maps: unknown[]) =>
      maps.flatMap((map) => (Object.hasOwn(toMap(map), key) ? [toMap(map)[key]] : [])),
    'any',
  ),
  pick: define(
    ['map'],
    (map: TemplateMap, ...keys: unknown[]) =>
      Object.fromEntries(Object.entries(map).filter(([key]) => keys.includes(key))),
    'any',
  ),
  omit: define(
    ['map'],
    (map: TemplateMap, ...keys: unknown[]) =>
      Object.fromEntries(Object.entries(map).filter(([key]) => !keys.includes(key))),
    'any',
  ),
  merge: define(
    ['map'],
    (map: Record<string, unknown>, ...others: unknown[]) => mergeAll(map, others, 'keep'),
    'any',
  ),
  mustMerge: define(
    ['map'],
    (map: Record<string, unknown>, ...others: unknown[]) => mergeAll(map, others, 'keep'),
    'any',
  ),
  mergeOverwrite: define(
    ['map'],
    (map: Record<string, unknown>, ...others: unknown[]) => mergeAll(map, others, 'replace'),
    'any',
  ),
  mustMergeOverwrite: define(
    ['map'],
    (map: Record<string, unknown>, ...others: unknown[]) => mergeAll(map, others, 'replace'),
    'any',
  ),
  deepCopy: define(['any'], copy),
  mustDeepCopy: define(['any'], copy),
  dig: define(['any', 'any', 'any'], dig, 'any'),
};

function dict(...pairs: unknown[]): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (let at = 0; at < pairs.length; at += 2)
    made[plain(pairs[at])] = at + 1 < pairs.length ? pairs[at + 1] : '';
  return made;
}

function mergeAll(
  into: Record<string, unknown>,
  others: readonly unknown[],
  how: 'keep' | 'replace',
): unknown {
  for (const other of others) mergeInto(into, toMap(other), how);
  return into;
}

function mergeInto(into: Record<string, unknown>, from: TemplateMap, how: 'keep' | 'replace'): void {
  for (const [key, value] of Object.entries(from)) {
    const held = memberOf(into, key);
    if (isTemplateMap(held) && isTemplateMap(value)) {
      const merged = { ...held };
      mergeInto(merged, value, how);
      into[key] = merged;
    } else if (how === 'replace' ? isTrue(value) || isNone(held) : !isTrue(held)) into[key] = value;
  }
}

function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy);
  if (!isTemplateMap(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copy(inner)]));
}

/** `dig "a" "b" default map`. */
function dig(...args: unknown[]): unknown {
  const keys = args.slice(0, -2);
  const fallback = args.at(-2);
  let value = args.at(-1);
  for (const key of keys) {
    if (!isTemplateMap(value) || typeof key !== 'string' || !Object.hasOwn(value, key)) return fallback;
    value = value[key];
  }
  return value;
}
