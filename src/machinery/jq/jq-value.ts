import { JqError } from './jq-error.ts';

/** Values of jq are JSON's; objects keep their own members only. */
export type JqObject = Readonly<Record<string, unknown>>;

export type JqType = 'null' | 'boolean' | 'number' | 'string' | 'array' | 'object';

export function typeOf(value: unknown): JqType {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'number' || typeof value === 'bigint') return 'number';
  if (typeof value === 'string') return 'string';
  return Array.isArray(value) ? 'array' : 'object';
}

export function isJqObject(value: unknown): value is JqObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Everything but `false` and `null`. */
export function isTruthy(value: unknown): boolean {
  return value !== false && value !== null && value !== undefined;
}

/** How jq names a value in its errors: `object ({"a":1})`. */
export function describe(value: unknown): string {
  const text = toJson(value);
  return `${typeOf(value)} (${text.length > 30 ? `${text.slice(0, 27)}...` : text})`;
}

export function toJson(value: unknown): string {
  if (typeof value === 'number' && Number.isNaN(value)) return 'null';
  if (value === Infinity) return '1.7976931348623157e+308';
  if (value === -Infinity) return '-1.7976931348623157e+308';
  return JSON.stringify(value ?? null, (_, member: unknown) =>
    typeof member === 'bigint' ? Number(member) : member,
  );
}

const order: readonly string[] = ['null', 'false', 'true', 'number', 'string', 'array', 'object'];

function rank(value: unknown): number {
  return order.indexOf(typeof value === 'boolean' ? String(value) : typeOf(value));
}

/** jq's total order: null, false, true, numbers, strings, arrays, objects. */
export function compareValues(a: unknown, b: unknown): number {
  const difference = rank(a) - rank(b);
  if (difference !== 0) return difference;
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  if (typeOf(a) === 'number') return Number(a) < Number(b) ? -1 : Number(a) === Number(b) ? 0 : 1;
  if (Array.isArray(a) && Array.isArray(b)) return compareArrays(a, b);
  if (isJqObject(a) && isJqObject(b)) {
    const keys = Object.keys(a).sort();
    return (
      compareArrays(keys, Object.keys(b).sort()) ||
      compareArrays(
        keys.map((key) => a[key]),
        keys.map((key) => b[key]),
      )
    );
  }
  return 0;
}

function compareArrays(a: readonly unknown[], b: readonly unknown[]): number {
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const difference = compareValues(a[at], b[at]);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** `.[key]`. */
export function member(value: unknown, key: unknown): unknown {
  if (typeof key === 'string') {
    if (value === null || value === undefined) return null;
    if (isJqObject(value)) return (Object.hasOwn(value, key) ? value[key] : null) ?? null;
    throw new JqError(`cannot index ${typeOf(value)} with ${JSON.stringify(key)}`);
  }
  if (typeof key === 'number') {
    if (value === null || value === undefined) return null;
    if (Array.isArray(value)) {
      const at = Math.floor(key);
      return (value[at < 0 ? at + value.length : at] as unknown) ?? null;
    }
    throw new JqError(`cannot index ${typeOf(value)} with number`);
  }
  if (isJqObject(key)) return slice(value, key['start'], key['end']);
  if (Array.isArray(key) && Array.isArray(value)) return indicesOf(value, key);
  throw new JqError(`cannot index ${typeOf(value)} with ${describe(key)}`);
}

/** `.[from:to]` of an array, of a string by its characters, or of null. */
export function slice(value: unknown, from: unknown, to: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string')
    return Array.from(value)
      .slice(...bounds(from, to))
      .join('');
  if (Array.isArray(value)) return value.slice(...bounds(from, to)) as unknown[];
  throw new JqError(`cannot slice ${typeOf(value)}`);
}

function bounds(from: unknown, to: unknown): [number, number | undefined] {
  return [
    typeof from === 'number' ? Math.floor(from) : 0,
    typeof to === 'number' ? Math.ceil(to) : undefined,
  ];
}

/** Positions at which `part` occurs in an array. */
export function indicesOf(whole: readonly unknown[], part: readonly unknown[]): number[] {
  if (part.length === 0) return [];
  const found: number[] = [];
  for (let at = 0; at + part.length <= whole.length; at++) {
    if (part.every((item, offset) => compareValues(item, whole[at + offset]) === 0)) found.push(at);
  }
  return found;
}

export function contains(whole: unknown, part: unknown): boolean {
  if (typeof whole === 'string' && typeof part === 'string') return whole.includes(part);
  if (Array.isArray(whole) && Array.isArray(part))
    return part.every((wanted) =>
      whole.some((item) => typeOf(item) === typeOf(wanted) && contains(item, wanted)),
    );
  if (isJqObject(whole) && isJqObject(part))
    return Object.entries(part).every(
      ([key, wanted]) => Object.hasOwn(whole, key) && contains(whole[key], wanted),
    );
  if (typeOf(whole) !== typeOf(part))
    throw new JqError(`${describe(whole)} and ${describe(part)} cannot have their containment checked`);
  return compareValues(whole, part) === 0;
}

export function getPath(value: unknown, path: readonly unknown[]): unknown {
  let found = value;
  for (const key of path) found = found === null || found === undefined ? null : member(found, key);
  return found ?? null;
}

export function setPath(value: unknown, path: readonly unknown[], next: unknown): unknown {
  if (path.length === 0) return next;
  const [key, ...rest] = path;
  const inner = setPath(value === null || value === undefined ? null : member(value, key), rest, next);
  if (typeof key === 'string') return { ...(isJqObject(value) ? value : {}), [key]: inner };
  const items = Array.isArray(value) ? [...(value as unknown[])] : [];
  if (isJqObject(key)) {
    if (!Array.isArray(inner)) throw new JqError('a slice of an array can only be assigned another array');
    const [from, to] = bounds(key['start'], key['end']);
    const start = from < 0 ? Math.max(0, from + items.length) : Math.min(from, items.length);
    const end = to === undefined ? items.length : to < 0 ? to + items.length : Math.min(to, items.length);
    items.splice(start, Math.max(0, end - start), ...(inner as unknown[]));
    return items;
  }
  if (typeof key !== 'number') throw new JqError(`invalid path component ${describe(key)}`);
  const at = key < 0 ? key + items.length : key;
  if (at < 0) throw new JqError('out of bounds negative array index');
  while (items.length < at) items.push(null);
  items[at] = inner;
  return items;
}

/** Without what the paths lead to; the last paths are deleted first, so that positions stay true. */
export function deletePaths(value: unknown, paths: readonly (readonly unknown[])[]): unknown {
  return [...paths].sort((a, b) => compareArrays(b, a)).reduce<unknown>(deletePath, value);
}

function deletePath(value: unknown, path: readonly unknown[]): unknown {
  const [key, ...rest] = path;
  if (path.length === 0 || value === null || value === undefined) return null;
  if (rest.length > 0) {
    const inner = member(value, key);
    return inner === null ? value : setPath(value, [key], deletePath(inner, rest));
  }
  if (isJqObject(value) && typeof key === 'string')
    return Object.fromEntries(Object.entries(value).filter(([name]) => name !== key));
  if (Array.isArray(value) && typeof key === 'number')
    return value.filter((_, at) => at !== (key < 0 ? key + value.length : key)) as unknown[];
  if (Array.isArray(value) && isJqObject(key)) return setPath(value, path, []);
  throw new JqError(`cannot delete field at ${describe(key)} of ${typeOf(value)}`);
}
