import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeStore } from '../store.contract.ts';
import { openLmdbStore } from './lmdb-store.ts';

const directories: string[] = [];

describeStore({
  name: 'lmdb',
  open: async (clock) => {
    const directory = await mkdtemp(join(tmpdir(), 'kanoe-store-'));
    directories.push(directory);
    return openLmdbStore({ directory, clock });
  },
  cleanUp: async () => {
    for (const directory of directories.splice(0)) await rm(directory, { recursive: true });
  },
});
