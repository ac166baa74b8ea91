/** One key as it stands at some revision. */
export interface Entry {
  readonly key: string;
  readonly value: Buffer;
  /** Revision of the write that made this value. */
  readonly revision: number;
  /** Revision of the write that created the key. */
  readonly createdRevision: number;
}

/** One committed write. A `put` whose `revision` equals `createdRevision` created the key. */
export interface StoreEvent {
  readonly type: 'put' | 'delete';
  readonly key: string;
  readonly revision: number;
  readonly createdRevision: number;
  /** The new value of a put; the last value of a delete. */
  readonly value: Buffer;
  /** The value before this write; absent when the write created the key. */
  readonly previous?: Buffer;
}

export interface ListOptions {
  /** Read the state at this revision; the newest when absent. Throws `COMPACTED` or `FUTURE_REVISION`. */
  readonly revision?: number;
  /** At most this many entries. */
  readonly limit?: number;
  /** Only keys that sort strictly after this one. */
  readonly after?: string;
}

export interface ListResult {
  /** In byte order of their keys. */
  readonly entries: readonly Entry[];
  /** The revision that the whole answer reflects. */
  readonly revision: number;
  /** How many entries of the prefix lie behind the last one returned. */
  readonly remaining: number;
}

export interface CreateOptions {
  /** The key is deleted, with an event, this many milliseconds after its creation; later updates keep the term. */
  readonly ttlMs?: number;
}

export interface WatchOptions {
  /** Keys that start with this. */
  readonly prefix: string;
  /** Deliver every write with a revision greater than this. Throws `COMPACTED` when history no longer reaches back. */
  readonly after: number;
  /** Called with committed writes, in order of revision, each exactly once. Must not throw. */
  onEvents(events: readonly StoreEvent[]): void;
  /** Called at most once, when the watch cannot go on (compacted, closed, connection lost). */
  onError(error: StoreError): void;
}

/** A running watch. */
export interface Watch {
  close(): void;
}

/**
 * Ordered keys to bytes under one global revision that grows by one with each write, starting above 0.
 *
 * A write's promise resolves after it is durable (drivers that hold nothing durable resolve at once); watchers hear of it
 * no earlier than that and never of a write that was not acknowledged as committed. Writes take effect in call order.
 * Values given and returned are not copied: neither side changes them afterwards. Keys are ASCII.
 */
export interface Store {
  /** The newest committed revision. */
  readonly revision: number;
  /** Bytes that it takes on disk; undefined when it is on none. */
  size(): number | undefined;
  get(key: string): Promise<Entry | undefined>;
  list(prefix: string, options?: ListOptions): Promise<ListResult>;
  /** Resolves to the new revision. Throws `KEY_EXISTS`. */
  create(key: string, value: Buffer, options?: CreateOptions): Promise<number>;
  /** Throws `KEY_NOT_FOUND`, or `REVISION_CONFLICT` unless the key stands at `expectedRevision`. */
  update(key: string, value: Buffer, expectedRevision: number): Promise<number>;
  /** Throws like {@link Store.update}. */
  delete(key: string, expectedRevision: number): Promise<number>;
  watch(options: WatchOptions): Watch;
  /** Forgets history up to and including `revision`: reads and watches from before it throw `COMPACTED`. */
  compact(revision: number): Promise<void>;
  /** Waits for pending writes, ends watches with `CLOSED`, releases the data directory. */
  close(): Promise<void>;
}

export type StoreErrorCode =
  | 'KEY_EXISTS'
  | 'KEY_NOT_FOUND'
  | 'REVISION_CONFLICT'
  | 'COMPACTED'
  | 'FUTURE_REVISION'
  | 'NO_SPACE'
  | 'HELD'
  | 'UNREADABLE'
  | 'NEWER_FORMAT'
  | 'CORRUPT'
  | 'CLOSED';

/** What a store throws. The message says what was wrong with which key or directory and what to do. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: StoreErrorCode;

  constructor(code: StoreErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
