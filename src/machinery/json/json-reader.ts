export type JsonKind = 'object' | 'array' | 'string' | 'number' | 'bool' | 'null';

/**
 * Reads one JSON value from front to back without building it: over a text, or over a value that was parsed already.
 *
 * Each value is either read by the method of its kind, entered, or skipped, once. Reading over a text throws `JsonSyntaxError`.
 */
export interface JsonReader {
  /** Of the value at the cursor. */
  kind(): JsonKind;
  readString(): string;
  /** Integers beyond 2^53 and within int64 are bigint. */
  readNumber(): number | bigint;
  /** The number read last, as it was written. */
  numberText(): string;
  readBool(): boolean;
  /** Enters an object or an array; {@link nextKey} or {@link nextItem} then go through it to its end. */
  enter(): void;
  /** Moves to the value of the next key; undefined leaves the object. */
  nextKey(): string | undefined;
  /** Moves to the next item; false leaves the array. */
  nextItem(): boolean;
  /** Passes over the value at the cursor, whatever its kind. */
  skip(): void;
}

/** How deep values may nest; upstream's limit is 10,000. */
export const maxDepth = 1000;
