import type { DeepMutable } from './object.ts';

/** A deep copy that the caller owns. */
export function mutableCopy<T>(value: T): DeepMutable<T> {
  return copy(value) as DeepMutable<T>;
}

function copy(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copy);
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return structuredClone(value);
  const result: Record<string, unknown> = {};
  const source = value as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(source)) {
    const member = source[name];
    if (name === '__proto__') {
      Object.defineProperty(result, name, {
        value: copy(member),
        writable: true,
        enumerable: true,
        configurable: true,
      });
    } else result[name] = copy(member);
  }
  return result;
}
