import { spawnSync } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { idFlags } from './means.ts';

/** Removes a folder, also where files in it belong to users of `/etc/subuid` that the caller has only in a user namespace. */
export async function removeData(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EACCES' && code !== 'EPERM') throw error;
    spawnSync('unshare', [...idFlags('many'), 'rm', '-rf', '--', path], { stdio: 'ignore' });
    await rm(path, { recursive: true, force: true });
  }
}
