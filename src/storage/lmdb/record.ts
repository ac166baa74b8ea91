import { StoreError } from '../kv.ts';
import type { Expiry, StoredEntry, Undo } from '../mvcc/backend.ts';

/*
 * What stands in the four tables of the data file. Numbers are unsigned, big-endian, 48 bits; 0 stands for none.
 *
 *     current   key                    →  revision · createdRevision · expiresAt · value
 *     undo      revision               →  length of key (16 bits) · key · [what `current` held before]
 *     expiry    expiresAt · key        →  createdRevision
 *     meta      "compacted"            →  revision
 */
const NUMBER = 6;
const ENTRY_HEADER = 3 * NUMBER;
const UNDO_HEADER = 2;

export function numberBytes(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(NUMBER);
  bytes.writeUIntBE(value, 0, NUMBER);
  return bytes;
}

export function bytesToNumber(bytes: Buffer): number {
  return bytes.readUIntBE(0, NUMBER);
}

export function keyBytes(key: string): Buffer {
  return Buffer.from(key, 'latin1');
}

export function encodeEntry(entry: StoredEntry): Buffer {
  const header = Buffer.allocUnsafe(ENTRY_HEADER);
  header.writeUIntBE(entry.revision, 0, NUMBER);
  header.writeUIntBE(entry.createdRevision, NUMBER, NUMBER);
  header.writeUIntBE(entry.expiresAt ?? 0, 2 * NUMBER, NUMBER);
  return Buffer.concat([header, entry.value]);
}

/** The entry's value shares the memory of `bytes`. */
export function decodeEntry(key: string, bytes: Buffer): StoredEntry {
  if (bytes.length < ENTRY_HEADER) throw new StoreError('CORRUPT', `the record of key ${key} is too short`);
  const expiresAt = bytes.readUIntBE(2 * NUMBER, NUMBER);
  const entry = {
    key,
    value: bytes.subarray(ENTRY_HEADER),
    revision: bytes.readUIntBE(0, NUMBER),
    createdRevision: bytes.readUIntBE(NUMBER, NUMBER),
  };
  return expiresAt === 0 ? entry : { ...entry, expiresAt };
}

export function encodeUndo({ key, previous }: Undo): Buffer {
  const header = Buffer.allocUnsafe(UNDO_HEADER);
  header.writeUInt16BE(key.length);
  const parts = [header, keyBytes(key)];
  return Buffer.concat(previous ? [...parts, encodeEntry(previous)] : parts);
}

export function decodeUndo(revision: number, bytes: Buffer): Undo {
  const end = UNDO_HEADER + bytes.readUInt16BE(0);
  const key = bytes.toString('latin1', UNDO_HEADER, end);
  return bytes.length === end
    ? { revision, key }
    : { revision, key, previous: decodeEntry(key, bytes.subarray(end)) };
}

export function expiryKey(expiresAt: number, key: string): Buffer {
  return Buffer.concat([numberBytes(expiresAt), keyBytes(key)]);
}

export function decodeExpiry(key: Buffer, value: Buffer): Expiry {
  return {
    key: key.toString('latin1', NUMBER),
    expiresAt: bytesToNumber(key),
    createdRevision: bytesToNumber(value),
  };
}
