import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isMissing } from '../missing-file.ts';

const BLOCK_BYTES = 512;

/** What files take on a disk. */
export interface DiskUsage {
  readonly bytes: number;
  readonly inodes: number;
}

/** What lies below a folder; a missing one is empty, and files that vanish meanwhile do not count. */
export async function diskUsage(root: string): Promise<DiskUsage> {
  const total = { bytes: 0, inodes: 0 };
  for (const path of await below(root)) {
    try {
      total.bytes += (await lstat(path)).blocks * BLOCK_BYTES;
      total.inodes += 1;
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
  }
  return total;
}

async function below(root: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    return entries.map((entry) => join(entry.parentPath, entry.name));
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}
