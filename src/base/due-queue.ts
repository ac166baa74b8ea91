import type { Clock, Timer } from './clock.ts';

interface Entry<T> {
  readonly due: number;
  readonly order: number;
  readonly key: string;
  readonly item: T;
}

/** Items that fall due, one for each key, behind a single timer: a binary heap, however many wait. */
export class DueQueue<T> {
  readonly #clock: Clock;
  readonly #run: (key: string, item: T) => void;
  readonly #heap: Entry<T>[] = [];
  readonly #current = new Map<string, Entry<T>>();
  #order = 0;
  #timer: Timer | undefined;
  #timerDue = Infinity;

  /** `run` is called for items that are due, in the order of their times, then of their adding. */
  constructor(clock: Clock, run: (key: string, item: T) => void) {
    this.#clock = clock;
    this.#run = run;
  }

  get size(): number {
    return this.#current.size;
  }

  get(key: string): T | undefined {
    return this.#current.get(key)?.item;
  }

  /** Replaces what waits under the key. An item without delay is run from a timer all the same. */
  set(key: string, item: T, delayMs: number): void {
    const due = this.#clock.monotonic() + Math.max(0, delayMs);
    const entry: Entry<T> = { due, order: this.#order++, key, item };
    this.#current.set(key, entry);
    this.#push(entry);
    this.#arm();
  }

  delete(key: string): void {
    this.#current.delete(key);
    // Entries that were replaced or deleted stay in the heap until they come up; not more of them than live ones.
    if (this.#heap.length > 64 && this.#heap.length > 2 * this.#current.size) this.#compact();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#heap.length = 0;
    this.#current.clear();
  }

  #arm(): void {
    const [first] = this.#heap;
    if (!first || first.due >= this.#timerDue) return;
    this.#timer?.cancel();
    this.#timerDue = first.due;
    this.#timer = this.#clock.after(first.due - this.#clock.monotonic(), () => this.#fire());
  }

  #fire(): void {
    this.#timerDue = Infinity;
    const now = this.#clock.monotonic();
    for (let first = this.#heap[0]; first && first.due <= now; first = this.#heap[0]) {
      this.#pop();
      if (this.#current.get(first.key) !== first) continue;
      this.#current.delete(first.key);
      this.#run(first.key, first.item);
    }
    this.#arm();
  }

  #compact(): void {
    this.#heap.length = 0;
    for (const entry of this.#current.values()) this.#push(entry);
  }

  #push(entry: Entry<T>): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (!above || !isBefore(entry, above)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      const leftEntry = heap[left];
      const rightEntry = heap[right];
      if (!leftEntry) break;
      const child = rightEntry && isBefore(rightEntry, leftEntry) ? right : left;
      const entry = child === right ? rightEntry : leftEntry;
      if (!entry || !isBefore(entry, last)) break;
      heap[at] = entry;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore<T>(a: Entry<T>, b: Entry<T>): boolean {
  return a.due === b.due ? a.order < b.order : a.due < b.due;
}
