/** Anything kept in order of its key. */
export interface Keyed {
  readonly key: string;
}

const chunkLimit = 256;

/**
 * An immutable sorted map from key to entry: chunks of at most 256 entries, shared between versions. A change copies one
 * chunk and the list of chunks, so every LIST page and every watch may keep the version it started from.
 */
export class SortedEntries<E extends Keyed> {
  readonly size: number;
  readonly #chunks: readonly (readonly E[])[];

  private constructor(chunks: readonly (readonly E[])[], size: number) {
    this.#chunks = chunks;
    this.size = size;
  }

  static empty<E extends Keyed>(): SortedEntries<E> {
    return new SortedEntries<E>([], 0);
  }

  /** `entries` must be in ascending order of keys, without duplicates. */
  static from<E extends Keyed>(entries: readonly E[]): SortedEntries<E> {
    const chunks: E[][] = [];
    for (let start = 0; start < entries.length; start += chunkLimit / 2) {
      chunks.push(entries.slice(start, start + chunkLimit / 2));
    }
    return new SortedEntries<E>(chunks, entries.length);
  }

  get(key: string): E | undefined {
    const chunk = this.#chunks[this.#chunkFor(key)];
    const entry = chunk?.[lowerBound(chunk, key)];
    return entry?.key === key ? entry : undefined;
  }

  /** A version with `entry` put in or replaced. */
  with(entry: E): SortedEntries<E> {
    if (this.#chunks.length === 0) return new SortedEntries<E>([[entry]], 1);
    const index = this.#chunkFor(entry.key);
    const chunk = this.#chunks[index] ?? [];
    const at = lowerBound(chunk, entry.key);
    const replaces = chunk[at]?.key === entry.key;
    const next = chunk.slice();
    next.splice(at, replaces ? 1 : 0, entry);
    const chunks = this.#chunks.slice();
    if (next.length > chunkLimit) {
      chunks.splice(index, 1, next.slice(0, chunkLimit / 2), next.slice(chunkLimit / 2));
    } else {
      chunks[index] = next;
    }
    return new SortedEntries<E>(chunks, replaces ? this.size : this.size + 1);
  }

  /** A version without `key`. */
  without(key: string): SortedEntries<E> {
    const index = this.#chunkFor(key);
    const chunk = this.#chunks[index];
    if (!chunk) return this;
    const at = lowerBound(chunk, key);
    if (chunk[at]?.key !== key) return this;
    const chunks = this.#chunks.slice();
    if (chunk.length === 1) chunks.splice(index, 1);
    else chunks[index] = [...chunk.slice(0, at), ...chunk.slice(at + 1)];
    return new SortedEntries<E>(chunks, this.size - 1);
  }

  /** Entries whose key starts with `prefix` and sorts after `after`, in order. */
  *range(prefix: string, after = ''): Generator<E> {
    const from = after > prefix ? after : prefix;
    let index = this.#chunkFor(from);
    for (; index < this.#chunks.length; index++) {
      const chunk = this.#chunks[index] ?? [];
      for (let at = lowerBound(chunk, from); at < chunk.length; at++) {
        const entry = chunk[at];
        if (!entry || entry.key === after) continue;
        if (!entry.key.startsWith(prefix)) return;
        yield entry;
      }
    }
  }

  /** How many entries {@link range} gives after a key that is there, without looking at each. */
  countAfter(prefix: string, after: string): number {
    return this.#rank(`${prefix}\uffff`) - this.#rank(after) - 1;
  }

  /** How many keys sort before `key`. */
  #rank(key: string): number {
    const index = this.#chunkFor(key);
    let count = 0;
    for (let at = 0; at < index; at += 1) count += this.#chunks[at]?.length ?? 0;
    return count + lowerBound(this.#chunks[index] ?? [], key);
  }

  /** The chunk that holds `key` or would take it. */
  #chunkFor(key: string): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      const chunk = this.#chunks[middle];
      const last = chunk?.[chunk.length - 1];
      if (last && last.key < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function lowerBound<E extends Keyed>(chunk: readonly E[], key: string): number {
  let low = 0;
  let high = chunk.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const entry = chunk[middle];
    if (entry && entry.key < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
