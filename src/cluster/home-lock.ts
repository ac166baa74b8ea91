import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep, type Clock } from '../base/clock.ts';
import { prepareHome } from './home.ts';
import type { Home } from './home.ts';
import { processIdentity } from './process-identity.ts';

const pollMs = 5;

/**
 * Does work that only one process of a home may do at a time, such as choosing networks or changing the person's kubeconfig.
 * Waits for the others; a process that died with the lock does not keep it.
 */
export async function withHomeLock<T>(home: Home, clock: Clock, work: () => Promise<T>): Promise<T> {
  await prepareHome(home);
  const lock = join(home.directory, 'lock');
  const draft = `${lock}.${process.pid}`;
  await writeFile(draft, String(process.pid), { mode: 0o600 });
  try {
    while (!(await tryLink(draft, lock))) {
      if (await isAbandoned(lock)) await rm(lock, { force: true });
      else await sleep(clock, pollMs);
    }
  } finally {
    await rm(draft, { force: true });
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}

/** The name of the lock appears with its holder's number already in it. */
async function tryLink(draft: string, lock: string): Promise<boolean> {
  try {
    await link(draft, lock);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

async function isAbandoned(lock: string): Promise<boolean> {
  const holder = await readFile(lock, 'utf8').catch(() => undefined);
  return holder !== undefined && (await processIdentity(Number(holder))) === undefined;
}
