import type { JsonReader } from './json-reader.ts';
import { setOwn } from './own-property.ts';
import { TextReader } from './text-reader.ts';

export interface ParsedJson {
  readonly value: unknown;
  /** Keys that occur more than once, as upstream reports them: `duplicate field "spec.replicas"`. The last one counts. */
  readonly duplicates: readonly string[];
}

/**
 * Parses JSON of any shape: integers beyond 2^53 become bigint, `__proto__` is a key like any other.
 * Throws `JsonSyntaxError` with Go's message.
 */
export function parseJson(bytes: Uint8Array | string): ParsedJson {
  const reader = new TextReader(bytes);
  const duplicates = new Set<string>();
  const path: (string | number)[] = [];
  const value = readAny(reader, path, (at) => duplicates.add(`duplicate field "${fieldPath(at)}"`));
  reader.end();
  return { value, duplicates: [...duplicates] };
}

/** Builds the value at the reader's cursor; `path` is where it is, `onDuplicate` gets the path of a repeated key. */
export function readAny(
  reader: JsonReader,
  path: (string | number)[],
  onDuplicate: (path: readonly (string | number)[]) => void,
): unknown {
  switch (reader.kind()) {
    case 'object': {
      const object: Record<string, unknown> = {};
      reader.enter();
      for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
        path.push(key);
        if (Object.hasOwn(object, key)) onDuplicate(path);
        setOwn(object, key, readAny(reader, path, onDuplicate));
        path.pop();
      }
      return object;
    }
    case 'array': {
      const items: unknown[] = [];
      reader.enter();
      while (reader.nextItem()) {
        path.push(items.length);
        items.push(readAny(reader, path, onDuplicate));
        path.pop();
      }
      return items;
    }
    case 'string':
      return reader.readString();
    case 'number':
      return reader.readNumber();
    case 'bool':
      return reader.readBool();
    default:
      reader.skip();
      return null;
  }
}

/** `spec.containers[0].name`. */
export function fieldPath(path: readonly (string | number)[]): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else text += text === '' ? step : `.${step}`;
  }
  return text;
}
