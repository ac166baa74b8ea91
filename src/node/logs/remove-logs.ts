import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { isMissing } from '../missing-file.ts';

/** Removes a log with the files that were rotated out of it. */
export async function removeLogs(path: string): Promise<void> {
  const folder = dirname(path);
  try {
    const names = await readdir(folder);
    const own = names.filter((name) => name === basename(path) || name.startsWith(`${basename(path)}.`));
    await Promise.all(own.map((name) => rm(join(folder, name), { force: true })));
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
