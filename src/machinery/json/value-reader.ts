import { JsonSyntaxError } from './json-error.ts';
import { maxDepth, type JsonKind, type JsonReader } from './json-reader.ts';

interface Frame {
  readonly value: Readonly<Record<string, unknown>> | readonly unknown[];
  readonly keys: readonly string[];
  index: number;
}

/** Reads a value that is in memory as if it were JSON text; keys whose value is `undefined` are absent. */
export class ValueReader implements JsonReader {
  readonly #frames: Frame[] = [];
  #value: unknown;
  #number: number | bigint = 0;

  constructor(value: unknown) {
    this.#value = value;
  }

  kind(): JsonKind {
    switch (typeof this.#value) {
      case 'string':
        return 'string';
      case 'number':
      case 'bigint':
        return 'number';
      case 'boolean':
        return 'bool';
      case 'object':
        if (this.#value === null) return 'null';
        return Array.isArray(this.#value) ? 'array' : 'object';
      default:
        return 'null';
    }
  }

  readString(): string {
    return this.#value as string;
  }

  readNumber(): number | bigint {
    const value = this.#value as number | bigint;
    const exact = Number(value);
    this.#number = Number.isSafeInteger(exact) ? exact : value;
    return this.#number;
  }

  numberText(): string {
    return String(this.#number);
  }

  readBool(): boolean {
    return this.#value as boolean;
  }

  enter(): void {
    if (this.#frames.length >= maxDepth) throw new JsonSyntaxError('exceeded max depth');
    const value = this.#value as Frame['value'];
    this.#frames.push({ value, keys: Array.isArray(value) ? [] : Object.keys(value), index: 0 });
  }

  nextKey(): string | undefined {
    const frame = this.#top();
    while (frame.index < frame.keys.length) {
      const key = frame.keys[frame.index] ?? '';
      frame.index += 1;
      this.#value = (frame.value as Readonly<Record<string, unknown>>)[key];
      if (this.#value !== undefined) return key;
    }
    this.#frames.pop();
    return undefined;
  }

  nextItem(): boolean {
    const frame = this.#top();
    const items = frame.value as readonly unknown[];
    if (frame.index >= items.length) {
      this.#frames.pop();
      return false;
    }
    this.#value = items[frame.index];
    frame.index += 1;
    return true;
  }

  skip(): void {
    // The cursor moves with the next key or item.
  }

  #top(): Frame {
    const frame = this.#frames.at(-1);
    if (!frame) throw new Error('reader is not inside a value');
    return frame;
  }
}
