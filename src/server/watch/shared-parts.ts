type Parts = Record<string, unknown> | unknown[];

const slots = 1 << 14;
const mask = slots - 1;
const longestString = 256;

/**
 * Freezes objects, and lets those that follow each other share their equal parts: of a hundred thousand pods of a few
 * templates nearly everything is the same. What was seen is remembered in tables of fixed size, so that sharing is a
 * matter of luck, and not sharing costs memory only.
 */
export class SharedParts {
  #objects: (Parts | undefined)[] | undefined;
  #strings: (string | undefined)[] | undefined;
  /** Of the part that was looked at last. */
  #hash = 0;

  /** `value`, frozen like everything in it, whose parts are from now on those of earlier objects where they are equal. */
  freeze<T extends object>(value: T): T {
    this.#objects ??= Array.from({ length: slots });
    this.#strings ??= Array.from({ length: slots });
    this.#members(value as Parts);
    Object.freeze(value);
    return value;
  }

  #part(value: unknown): unknown {
    if (typeof value === 'string') return this.#string(value);
    if (typeof value !== 'object' || value === null) {
      this.#hash = typeof value === 'number' ? value | 0 : value === true ? 7 : 3;
      return value;
    }
    const parts = value as Parts;
    this.#members(parts);
    const hash = this.#hash;
    const at = hash & mask;
    const known = this.#objects?.[at];
    if (known === parts) return parts;
    if (known && sameMembers(known, parts)) return known;
    Object.freeze(parts);
    if (this.#objects && isPlain(parts)) this.#objects[at] = parts;
    return parts;
  }

  #members(parts: Parts): void {
    const fixed = Object.isFrozen(parts);
    let hash = 17;
    if (Array.isArray(parts)) {
      for (let at = 0; at < parts.length; at++) {
        const member: unknown = parts[at];
        const shared = this.#part(member);
        if (shared !== member && !fixed) parts[at] = shared;
        hash = (Math.imul(hash, 31) + this.#hash) | 0;
      }
    } else {
      for (const name in parts) {
        const member = parts[name];
        const shared = this.#part(member);
        if (shared !== member && !fixed) parts[name] = shared;
        hash = (Math.imul(hash ^ hashOfName(name), 31) + this.#hash) | 0;
      }
    }
    this.#hash = hash ^ (hash >>> 15);
  }

  #string(text: string): string {
    const { length } = text;
    if (length > longestString) {
      this.#hash = length;
      return text;
    }
    let hash = length;
    for (let at = length - 1, step = 1; at >= 0; at -= step) {
      hash = (Math.imul(hash, 31) + text.charCodeAt(at)) | 0;
      if (length - at > 8) step = 5;
    }
    this.#hash = hash;
    if (!this.#strings) return text;
    const at = (hash ^ (hash >>> 14)) & mask;
    const known = this.#strings[at];
    if (known === text) return known;
    this.#strings[at] = text;
    return text;
  }
}

/** Of names a few characters are enough: equal ones are compared in full. */
function hashOfName(name: string): number {
  const { length } = name;
  return (length << 16) ^ (name.charCodeAt(length >> 1) << 8) ^ name.charCodeAt(length - 1);
}

function isPlain(parts: Parts): boolean {
  if (Array.isArray(parts)) return true;
  const prototype: unknown = Object.getPrototypeOf(parts);
  return prototype === Object.prototype || prototype === null;
}

/** Whether both have the very same members under the same names in the same order. */
function sameMembers(a: Parts, b: Parts): boolean {
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false;
    for (let at = 0; at < a.length; at++) if (!Object.is(a[at], b[at])) return false;
    return true;
  }
  if (Array.isArray(b) || !isPlain(b)) return false;
  const names = Object.keys(a);
  let at = 0;
  for (const name in b) if (names[at++] !== name || !Object.is(a[name], b[name])) return false;
  return at === names.length;
}
