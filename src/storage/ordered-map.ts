/** From `start` on, up to but without `end`; without `end` to the last key. */
export interface KeyRange {
  readonly start: string;
  readonly end?: string;
}

const CHUNK_SIZE = 512;

interface Chunk<V> {
  readonly keys: string[];
  readonly values: V[];
}

/**
 * ASCII keys in byte order. Lookup and insertion cost one binary search and a move within a bounded chunk; counting a
 * range costs one step a chunk. Changing the map while a range is being iterated is not supported.
 *
 *     chunks  [a c f] [g h] [k m z]      find(h): last chunk whose first key <= h, then search inside it
 */
export class OrderedMap<V> {
  #chunks: Chunk<V>[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): V | undefined {
    const chunk = this.#chunks[this.#chunkOf(key)];
    if (!chunk) return undefined;
    const index = lowerBound(chunk.keys, key);
    return chunk.keys[index] === key ? chunk.values[index] : undefined;
  }

  set(key: string, value: V): void {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    if (!chunk) {
      this.#chunks.push({ keys: [key], values: [value] });
      this.#size += 1;
      return;
    }
    const index = lowerBound(chunk.keys, key);
    if (chunk.keys[index] === key) {
      chunk.values[index] = value;
      return;
    }
    chunk.keys.splice(index, 0, key);
    chunk.values.splice(index, 0, value);
    this.#size += 1;
    if (chunk.keys.length <= CHUNK_SIZE) return;
    // Ascending insertion is the usual order, so a split behind the last key keeps full chunks full.
    const cut = index === CHUNK_SIZE ? CHUNK_SIZE : CHUNK_SIZE >> 1;
    this.#chunks.splice(at + 1, 0, { keys: chunk.keys.splice(cut), values: chunk.values.splice(cut) });
  }

  /** Whether the key was there. */
  delete(key: string): boolean {
    const at = this.#chunkOf(key);
    const chunk = this.#chunks[at];
    if (!chunk) return false;
    const index = lowerBound(chunk.keys, key);
    if (chunk.keys[index] !== key) return false;
    chunk.keys.splice(index, 1);
    chunk.values.splice(index, 1);
    this.#size -= 1;
    if (chunk.keys.length === 0) this.#chunks.splice(at, 1);
    return true;
  }

  /** Values in order of their keys. */
  *range(range: KeyRange): Generator<V, void, undefined> {
    const first = this.#chunkOf(range.start);
    for (let at = first; at < this.#chunks.length; at += 1) {
      const chunk = this.#chunks[at];
      if (!chunk) return;
      const stop = range.end === undefined ? chunk.keys.length : lowerBound(chunk.keys, range.end);
      const from = at === first ? lowerBound(chunk.keys, range.start) : 0;
      yield* chunk.values.slice(from, stop);
      if (stop < chunk.keys.length) return;
    }
  }

  count(range: KeyRange): number {
    const end = range.end === undefined ? this.#size : this.#rank(range.end);
    return Math.max(0, end - this.#rank(range.start));
  }

  /** How many keys sort before `key`. */
  #rank(key: string): number {
    const at = this.#chunkOf(key);
    let rank = 0;
    for (let index = 0; index < at; index += 1) rank += this.#chunks[index]?.keys.length ?? 0;
    const chunk = this.#chunks[at];
    return chunk ? rank + lowerBound(chunk.keys, key) : rank;
  }

  /** The last chunk that starts at or before `key`; the first when none does. */
  #chunkOf(key: string): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#chunks[middle]?.keys[0] ?? '') <= key) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** Index of the first key that is not before `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((keys[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
