import type { Clock, Timer } from '../../base/clock.ts';
import {
  StoreError,
  type CreateOptions,
  type Entry,
  type ListOptions,
  type ListResult,
  type Store,
  type Watch,
  type WatchOptions,
} from '../kv.ts';
import type { Backend, Change, StoredEntry } from './backend.ts';
import { defaultHistoryLimits, HistoryKeeper, type HistoryLimits } from './history-limits.ts';
import { PastView } from './past-view.ts';
import { WatcherSet } from './watcher-set.ts';

export interface MvccStoreOptions {
  readonly clock: Clock;
  readonly history?: HistoryLimits;
}

/** Looks at the key as the writes before this one leave it and returns what is to stand there, or why not. */
type Decision = (current: StoredEntry | undefined, revision: number) => StoredEntry | 'nothing' | StoreError;

interface Write {
  readonly key: string;
  readonly decide: Decision;
  readonly resolve: (revision: number) => void;
  readonly reject: (error: unknown) => void;
}

interface Compaction {
  readonly revision: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What an LMDB page leaves room for, less what the store puts before a key. */
const MAX_KEY_LENGTH = 1_900;
const COMPACTION_STEP = 5_000;
const EXPIRY_STEP = 1_000;
const RETRY_MS = 1_000;

/**
 * The rules of a {@link Store} over any {@link Backend}: one queue of writes, of which those that wait go into one
 * transaction; only one transaction is under way. Reads show what is committed: the writes under way are taken back.
 */
export class MvccStore implements Store {
  readonly #backend: Backend;
  readonly #clock: Clock;
  readonly #keeper: HistoryKeeper;
  readonly #watchers = new WatcherSet();
  #revision: number;
  #compacted: number;
  #forgotten: number;
  #queue: Write[] = [];
  #compactions: Compaction[] = [];
  #underWay: readonly Change[] = [];
  /** What stood at the keys that {@link #underWay} writes. */
  #before: ReadonlyMap<string, StoredEntry | undefined> = new Map();
  #state: 'idle' | 'scheduled' | 'committing' = 'idle';
  #expiry: { due: number; timer: Timer } | undefined;
  #expiring = false;
  #closing: Promise<void> | undefined;
  #drained: (() => void) | undefined;

  constructor(backend: Backend, options: MvccStoreOptions) {
    this.#backend = backend;
    this.#clock = options.clock;
    this.#revision = backend.revision;
    this.#compacted = backend.compacted;
    this.#forgotten = backend.compacted;
    this.#keeper = new HistoryKeeper(options.clock, options.history ?? defaultHistoryLimits, (revision) =>
      this.#compactInBackground(revision),
    );
    this.#keeper.start(() => this.#revision);
    this.#armExpiry();
  }

  get revision(): number {
    return this.#revision;
  }

  size(): number | undefined {
    return this.#backend.size();
  }

  async get(key: string): Promise<Entry | undefined> {
    this.#assertOpen();
    return this.#before.has(key) ? this.#before.get(key) : this.#backend.get(key);
  }

  async list(prefix: string, options: ListOptions = {}): Promise<ListResult> {
    this.#assertOpen();
    const revision = options.revision ?? this.#revision;
    if (revision > this.#revision) {
      throw new StoreError(
        'FUTURE_REVISION',
        `revision ${revision} is newer than the newest, ${this.#revision}`,
      );
    }
    this.#assertKept(revision);
    const view = new PastView(this.#backend, prefix, this.#undosAfter(revision));
    return { ...view.page(options), revision };
  }

  create(key: string, value: Buffer, options: CreateOptions = {}): Promise<number> {
    const { ttlMs } = options;
    return this.#write(key, (current, revision) => {
      if (current) return new StoreError('KEY_EXISTS', `key ${key} exists at revision ${current.revision}`);
      const entry = { key, value, revision, createdRevision: revision };
      return ttlMs === undefined ? entry : { ...entry, expiresAt: this.#clock.now() + ttlMs };
    });
  }

  update(key: string, value: Buffer, expectedRevision: number): Promise<number> {
    return this.#write(
      key,
      guarded(key, expectedRevision, (current, revision) => ({ ...current, value, revision })),
    );
  }

  delete(key: string, expectedRevision: number): Promise<number> {
    return this.#write(
      key,
      guarded(key, expectedRevision, () => 'nothing'),
    );
  }

  watch(options: WatchOptions): Watch {
    this.#assertOpen();
    this.#assertKept(options.after);
    return this.#watchers.add(options, () => {
      if (options.after < this.#compacted) return compactedError(options.after, this.#compacted);
      return new PastView(this.#backend, options.prefix, this.#undosAfter(options.after)).changes(
        this.#revision,
      );
    });
  }

  compact(revision: number): Promise<void> {
    if (this.#closing) return Promise.reject(closedError());
    if (revision > this.#revision) {
      const message = `cannot compact to revision ${revision}: the newest is ${this.#revision}`;
      return Promise.reject(new StoreError('FUTURE_REVISION', message));
    }
    this.#compacted = Math.max(this.#compacted, revision);
    return new Promise((resolve, reject) => {
      this.#compactions.push({ revision, resolve, reject });
      this.#schedule();
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#keeper.stop();
    this.#expiry?.timer.cancel();
    if (this.#state !== 'idle') await new Promise<void>((resolve) => (this.#drained = resolve));
    this.#watchers.end(closedError());
    await this.#backend.close();
  }

  #write(key: string, decide: Decision): Promise<number> {
    if (this.#closing) return Promise.reject(closedError());
    if (key === '' || key.length > MAX_KEY_LENGTH) {
      return Promise.reject(new RangeError(`a key has 1 to ${MAX_KEY_LENGTH} bytes, not ${key.length}`));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ key, decide, resolve, reject });
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#state !== 'idle') return;
    this.#state = 'scheduled';
    this.#backend.schedule(() => void this.#drain());
  }

  async #drain(): Promise<void> {
    this.#state = 'committing';
    while (this.#queue.length > 0 || this.#compactions.length > 0) {
      const committed = this.#commitWaiting();
      if (committed) await committed;
    }
    this.#state = 'idle';
    this.#drained?.();
  }

  /** Returns a promise only when the backend needs time. */
  #commitWaiting(): Promise<void> | void {
    const writes = this.#queue;
    this.#queue = [];
    const changes: Change[] = [];
    const settle: (() => void)[] = [];
    const pending = new Map<string, StoredEntry | undefined>();
    for (const { key, decide, resolve, reject } of writes) {
      const current = pending.has(key) ? pending.get(key) : this.#backend.get(key);
      const revision = this.#revision + changes.length + 1;
      const outcome = decide(current, revision);
      if (outcome instanceof StoreError) {
        settle.push(() => reject(outcome));
        continue;
      }
      const next = outcome === 'nothing' ? undefined : outcome;
      pending.set(key, next);
      changes.push({ key, revision, ...(current && { previous: current }), ...(next && { next }) });
      settle.push(() => resolve(revision));
    }
    const compactTo = this.#nextCompactionStep();
    const succeeded = (): void => this.#committed(changes, compactTo, settle);
    if (changes.length === 0 && compactTo === undefined) {
      succeeded();
      return;
    }
    const failed = (error: unknown): void => {
      this.#setUnderWay([]);
      for (const write of writes) write.reject(error);
      for (const compaction of this.#compactions.splice(0)) compaction.reject(error);
    };
    this.#setUnderWay(changes);
    try {
      const commit = this.#backend.commit({ changes, ...(compactTo !== undefined && { compactTo }) });
      if (commit) return commit.then(succeeded, failed);
      succeeded();
    } catch (error) {
      failed(error);
    }
  }

  #committed(
    changes: readonly Change[],
    compactTo: number | undefined,
    settle: readonly (() => void)[],
  ): void {
    this.#setUnderWay([]);
    this.#revision += changes.length;
    this.#forgotten = compactTo ?? this.#forgotten;
    for (const run of settle) run();
    const open = this.#compactions.filter(({ revision }) => revision > this.#forgotten);
    for (const { revision, resolve } of this.#compactions) if (revision <= this.#forgotten) resolve();
    this.#compactions = open;
    if (changes.length === 0) return;
    this.#watchers.publish(changes);
    if (this.#closing) return;
    this.#keeper.committed(this.#revision, this.#compacted);
    if (changes.some(({ next }) => next?.expiresAt !== undefined)) this.#armExpiry();
  }

  #setUnderWay(changes: readonly Change[]): void {
    this.#underWay = changes;
    this.#before = new Map(changes.toReversed().map(({ key, previous }) => [key, previous]));
  }

  #nextCompactionStep(): number | undefined {
    const target = Math.max(0, ...this.#compactions.map(({ revision }) => revision));
    return target > this.#forgotten ? Math.min(target, this.#forgotten + COMPACTION_STEP) : undefined;
  }

  #compactInBackground(revision: number): void {
    if (revision <= this.#compacted || this.#closing) return;
    // A failure (disk full) leaves the records for the next compaction.
    this.compact(revision).catch(() => undefined);
  }

  /** The first undo record of each key is its state at `revision`; those of writes under way come last. */
  *#undosAfter(revision: number): Generator<Change> {
    yield* this.#backend.undos(revision, this.#revision);
    for (const change of this.#underWay) yield change;
  }

  #armExpiry(): void {
    if (this.#expiring) return;
    for (const { expiresAt } of this.#backend.expiries()) {
      this.#expireAt(expiresAt);
      return;
    }
  }

  #expireAt(due: number): void {
    if (this.#expiry && this.#expiry.due <= due) return;
    this.#expiry?.timer.cancel();
    const timer = this.#clock.after(Math.max(0, due - this.#clock.now()), () => {
      this.#expiry = undefined;
      void this.#expire();
    });
    this.#expiry = { due, timer };
  }

  async #expire(): Promise<void> {
    const now = this.#clock.now();
    const writes: Promise<number>[] = [];
    for (const { key, createdRevision, expiresAt } of this.#backend.expiries()) {
      if (expiresAt > now || writes.length === EXPIRY_STEP) break;
      writes.push(this.#write(key, expired(key, createdRevision)));
    }
    this.#expiring = true;
    const results = await Promise.allSettled(writes);
    this.#expiring = false;
    if (this.#closing) return;
    const failed = results.some((result) => result.status === 'rejected' && !isMissing(result.reason));
    if (failed) this.#expireAt(now + RETRY_MS);
    else this.#armExpiry();
  }

  #assertOpen(): void {
    if (this.#closing) throw closedError();
  }

  #assertKept(revision: number): void {
    if (revision < this.#compacted) throw compactedError(revision, this.#compacted);
  }
}

function guarded(
  key: string,
  expectedRevision: number,
  change: (current: StoredEntry, revision: number) => StoredEntry | 'nothing',
): Decision {
  return (current, revision) => {
    if (!current) return new StoreError('KEY_NOT_FOUND', `key ${key} does not exist`);
    if (current.revision === expectedRevision) return change(current, revision);
    const message = `key ${key} stands at revision ${current.revision}, not ${expectedRevision}`;
    return new StoreError('REVISION_CONFLICT', message);
  };
}

/** Deletes the key unless it has been deleted, or deleted and created again, in the meantime. */
function expired(key: string, createdRevision: number): Decision {
  return (current) =>
    current?.createdRevision === createdRevision
      ? 'nothing'
      : new StoreError('KEY_NOT_FOUND', `key ${key} of revision ${createdRevision} does not exist`);
}

function isMissing(error: unknown): boolean {
  return error instanceof StoreError && error.code === 'KEY_NOT_FOUND';
}

function compactedError(revision: number, compacted: number): StoreError {
  return new StoreError(
    'COMPACTED',
    `revision ${revision} has been compacted: history begins at ${compacted}`,
  );
}

function closedError(): StoreError {
  return new StoreError('CLOSED', 'the store is closed');
}
