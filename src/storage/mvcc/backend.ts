import type { Entry } from '../kv.ts';
import type { KeyRange } from '../ordered-map.ts';

/** An entry as a backend holds it. */
export interface StoredEntry extends Entry {
  /** When the key is to be deleted, in milliseconds since the Unix epoch; absent when never. */
  readonly expiresAt?: number;
}

/** How to take one write back: the key stood at `previous` (or did not exist) before it. */
export interface Undo {
  readonly revision: number;
  readonly key: string;
  readonly previous?: StoredEntry;
}

/** One write: `next` is absent when it deletes the key. */
export interface Change extends Undo {
  readonly next?: StoredEntry;
}

/** The end of a key's life. */
export interface Expiry {
  readonly key: string;
  readonly createdRevision: number;
  readonly expiresAt: number;
}

/** What one transaction does. */
export interface Transaction {
  /** In order of revision, without gaps. */
  readonly changes: readonly Change[];
  /** Drop the undo records up to and including this revision. */
  readonly compactTo?: number;
}

/**
 * Where an `MvccStore` keeps its bytes: the newest state of every key, and beside it one undo record a write.
 *
 *     write      current            undo
 *     1 create   a=x@1              1: a was absent
 *     2 update   a=y@2              2: a was x@1
 *     3 delete   (none)             3: a was y@2
 *
 * The state at revision 1 is the current state with the writes 3 and 2 taken back. Reads are synchronous and consistent
 * within one turn of the event loop. While a commit is pending they may show the state before or after it.
 */
export interface Backend {
  /** Newest revision at the time of opening. */
  readonly revision: number;
  /** Undo records up to this revision were dropped by the time of opening. */
  readonly compacted: number;
  get(key: string): StoredEntry | undefined;
  /** In byte order of the keys. */
  range(range: KeyRange): Iterable<StoredEntry>;
  count(range: KeyRange): number;
  /** Undo records with `after < revision <= upTo`, ascending. */
  undos(after: number, upTo: number): Iterable<Undo>;
  /** Keys with a time to live, the soonest first. */
  expiries(): Iterable<Expiry>;
  /** Applies all of it or throws and leaves everything as it was. A promise resolves after it is durable. */
  commit(transaction: Transaction): Promise<void> | void;
  /** Calls `run` when the writes of the present turn belong together. */
  schedule(run: () => void): void;
  /** Bytes that it takes on disk; undefined when it is on none. */
  size(): number | undefined;
  close(): Promise<void>;
}
