import type { DeepMutable } from './object.ts';

/** A deep copy that the caller owns. */
export function mutableCopy<T>(value: T): DeepMutable<T> {
  return structuredClone(value) as DeepMutable<T>;
}
