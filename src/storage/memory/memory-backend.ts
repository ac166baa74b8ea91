import { OrderedMap, type KeyRange } from '../ordered-map.ts';
import type { Backend, Expiry, StoredEntry, Transaction, Undo } from '../mvcc/backend.ts';

/** Keeps everything on the heap of this process (values are Buffers outside it) and commits at once. */
export function createMemoryBackend(): Backend {
  const current = new OrderedMap<StoredEntry>();
  const expiries = new OrderedMap<Expiry>();
  let undos: Undo[] = [];

  function commit({ changes, compactTo }: Transaction): void {
    for (const { key, revision, previous, next } of changes) {
      undos.push(previous ? { key, revision, previous } : { key, revision });
      if (next) current.set(key, next);
      else current.delete(key);
      if (previous?.expiresAt !== undefined) expiries.delete(expiryKey(previous.expiresAt, key));
      if (next?.expiresAt !== undefined) {
        const { createdRevision, expiresAt } = next;
        expiries.set(expiryKey(expiresAt, key), { key, createdRevision, expiresAt });
      }
    }
    if (compactTo !== undefined) undos = undos.slice(indexAfter(undos, compactTo));
  }

  return {
    revision: 1,
    compacted: 1,
    get: (key) => current.get(key),
    range: (range: KeyRange) => current.range(range),
    count: (range: KeyRange) => current.count(range),
    undos: (after, upTo) => undos.slice(indexAfter(undos, after), indexAfter(undos, upTo)),
    expiries: () => expiries.range({ start: '' }),
    commit,
    schedule: queueMicrotask,
    size: () => undefined,
    async close() {},
  };
}

/** Sorts by time, then by key. */
function expiryKey(expiresAt: number, key: string): string {
  return `${String(expiresAt).padStart(16, '0')}${key}`;
}

/** Revisions have no gaps, so a record's place follows from the first one. */
function indexAfter(undos: readonly Undo[], revision: number): number {
  const first = undos[0]?.revision ?? 0;
  return Math.max(0, revision - first + 1);
}
