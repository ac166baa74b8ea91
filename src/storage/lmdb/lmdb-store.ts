import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { Store } from '../kv.ts';
import type { Backend } from '../mvcc/backend.ts';
import type { HistoryLimits } from '../mvcc/history-limits.ts';
import { MvccStore } from '../mvcc/mvcc-store.ts';
import { assertReadableFormat, prepareDirectory, stampFormat, syncDirectory } from './data-directory.ts';
import { lengthenShortFile } from './data-file.ts';
import { holdDirectory } from './holder.ts';
import { openLmdbBackend } from './lmdb-backend.ts';
import { storeErrorOf } from './store-error-of.ts';

export interface LmdbStoreOptions {
  /** Created, mode 0700, when absent. Belongs to one open store at a time. */
  readonly directory: string;
  readonly clock: Clock;
  /** How much history is kept when nobody asks for compaction. */
  readonly history?: HistoryLimits;
}

/**
 * Opens the durable store of a data directory. Writes resolve after the disk has them; those that come in one turn of
 * the event loop, or while others are being written, are one transaction.
 *
 * Throws `HELD` (and by whom), `UNREADABLE`, `NEWER_FORMAT`, `NO_SPACE` or `CORRUPT`. When the disk is full writes are
 * refused with `NO_SPACE`, reads go on, and so do writes once there is room.
 */
export async function openLmdbStore(options: LmdbStoreOptions): Promise<Store> {
  const { directory, clock } = options;
  try {
    const file = join(directory, 'data.mdb');
    await prepareDirectory(directory);
    await assertReadableFormat(directory, file);
    const hold = await holdDirectory(directory, clock);
    try {
      await stampFormat(directory);
      const suspicious = await lengthenShortFile(file);
      const backend = openLmdbBackend(file);
      if (suspicious) readAll(backend);
      await Promise.all([chmod(file, 0o600), chmod(`${file}-lock`, 0o600), syncDirectory(directory)]);
      return new MvccStore(
        releasing(backend, () => hold.release()),
        options,
      );
    } catch (error) {
      await hold.release();
      throw error;
    }
  } catch (error) {
    throw await storeErrorOf(error, directory);
  }
}

/** Throws when any page in use is damaged. */
function readAll(backend: Backend): void {
  for (const entries of [
    backend.range({ start: '' }),
    backend.undos(0, backend.revision),
    backend.expiries(),
  ]) {
    for (const entry of entries) void entry;
  }
}

/** The same backend, whose closing also gives the directory back. */
function releasing(backend: Backend, release: () => Promise<void>): Backend {
  return {
    ...backend,
    close: async () => {
      await backend.close();
      await release();
    },
  };
}
