/**
 * Remembers what was used most recently: at least as many entries as it is told, at most twice as many. Unlike a map whose
 * oldest entry is deleted again and again, it takes the same short time for each.
 */
export class RecentMap<K, V> {
  readonly #capacity: number;
  readonly #forgotten: ((value: V) => void) | undefined;
  #young = new Map<K, V>();
  #old = new Map<K, V>();

  /** `forgotten` hears of entries that are given up for newer ones. */
  constructor(capacity: number, forgotten?: (value: V) => void) {
    this.#capacity = capacity;
    this.#forgotten = forgotten;
  }

  /** The value, which counts as used. */
  get(key: K): V | undefined {
    const found = this.#young.get(key);
    if (found !== undefined) return found;
    const old = this.#old.get(key);
    if (old !== undefined) {
      this.#old.delete(key);
      this.set(key, old);
    }
    return old;
  }

  set(key: K, value: V): void {
    this.#old.delete(key);
    if (this.#young.size >= this.#capacity && !this.#young.has(key)) {
      if (this.#forgotten) for (const old of this.#old.values()) this.#forgotten(old);
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }
}
