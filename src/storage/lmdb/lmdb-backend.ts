import { statSync } from 'node:fs';
import { open, type Database } from 'lmdb';
import type { Backend, Change, Expiry, StoredEntry, Transaction, Undo } from '../mvcc/backend.ts';
import type { KeyRange } from '../ordered-map.ts';
import { storeErrorOf } from './store-error-of.ts';
import {
  bytesToNumber,
  decodeEntry,
  decodeExpiry,
  decodeUndo,
  encodeEntry,
  encodeUndo,
  expiryKey,
  keyBytes,
  numberBytes,
} from './record.ts';

type Table = Database<Buffer, Buffer>;

/** Address space, not disk or memory: the file grows with what is written. */
const MAP_SIZE = 2 ** 36;
const FIRST_REVISION = 1;
const COMPACTED = Buffer.from('compacted');

/**
 * Keeps everything in one LMDB file. A commit is one LMDB transaction, made and synced on another thread.
 *
 * Without LMDB's overlapping sync a transaction is visible only once it is durable and a failed one leaves nothing
 * behind; without a write map a full disk is an error of a write, not a SIGBUS.
 */
export function openLmdbBackend(file: string): Backend {
  const root = open<Buffer, Buffer>({
    path: file,
    noSubdir: true,
    mapSize: MAP_SIZE,
    maxDbs: 4,
    overlappingSync: false,
    useWritemap: false,
    // Groups are formed above; batching once more by turn leaves rejections that nobody can handle.
    eventTurnBatching: false,
    encoding: 'binary',
    keyEncoding: 'binary',
  });
  const table = (name: string): Table =>
    root.openDB<Buffer, Buffer>({ name, encoding: 'binary', keyEncoding: 'binary' });
  // One transaction, so that a new file is synced once.
  const { current, undo, expiry, meta } = root.transactionSync(() => ({
    current: table('current'),
    undo: table('undo'),
    expiry: table('expiry'),
    meta: table('meta'),
  }));

  let compacted = FIRST_REVISION;
  const mark = meta.getBinary(COMPACTED);
  if (mark) compacted = bytesToNumber(mark);
  let revision = compacted;
  for (const newest of undo.getKeys({ reverse: true, limit: 1 }))
    revision = Math.max(revision, bytesToNumber(newest));
  let dropped = compacted;

  function write(change: Change): Promise<boolean>[] {
    const { key, previous, next } = change;
    const at = keyBytes(key);
    const writes = [
      undo.put(numberBytes(change.revision), encodeUndo(change)),
      next ? current.put(at, encodeEntry(next)) : current.remove(at),
    ];
    if (previous?.expiresAt === next?.expiresAt && previous?.createdRevision === next?.createdRevision)
      return writes;
    if (previous?.expiresAt !== undefined) writes.push(expiry.remove(expiryKey(previous.expiresAt, key)));
    if (next?.expiresAt !== undefined) {
      writes.push(expiry.put(expiryKey(next.expiresAt, key), numberBytes(next.createdRevision)));
    }
    return writes;
  }

  async function commit({ changes, compactTo }: Transaction): Promise<void> {
    // All writes of a group share one promise.
    const writes = new Set<Promise<boolean>>();
    const group = root.batch(() => {
      for (const change of changes) for (const done of write(change)) writes.add(done);
      if (compactTo === undefined) return;
      for (let old = dropped + 1; old <= compactTo; old += 1) writes.add(undo.remove(numberBytes(old)));
      writes.add(meta.put(COMPACTED, numberBytes(compactTo)));
    });
    try {
      await Promise.all([group, ...writes]);
      await root.flushed;
    } catch (error) {
      throw await storeErrorOf(error, file);
    }
    root.resetReadTxn();
    dropped = compactTo ?? dropped;
  }

  return {
    revision,
    compacted,
    get(key: string): StoredEntry | undefined {
      const bytes = current.getBinary(keyBytes(key));
      return bytes && decodeEntry(key, bytes);
    },
    *range(range: KeyRange): Generator<StoredEntry> {
      for (const { key, value } of current.getRange(bounds(range)))
        yield decodeEntry(key.toString('latin1'), value);
    },
    count: (range: KeyRange) => current.getKeysCount(bounds(range)),
    *undos(after: number, upTo: number): Generator<Undo> {
      const range = { start: numberBytes(after + 1), end: numberBytes(upTo + 1) };
      for (const { key, value } of undo.getRange(range)) yield decodeUndo(bytesToNumber(key), value);
    },
    *expiries(): Generator<Expiry> {
      for (const { key, value } of expiry.getRange()) yield decodeExpiry(key, value);
    },
    commit,
    schedule: (run: () => void) => void setImmediate(run),
    size: () => statSync(file).size,
    close: () => root.close(),
  };
}

/** LMDB knows no empty key; 0 sorts before every key of ours. */
function bounds({ start, end }: KeyRange): { start: Buffer; end?: Buffer } {
  const from = start === '' ? Buffer.from([0]) : keyBytes(start);
  return end === undefined ? { start: from } : { start: from, end: keyBytes(end) };
}
