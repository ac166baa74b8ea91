import { randomInt } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RuntimeError } from '../../container-runtime.ts';
import { isMissing, readIfPresent } from '../state-file.ts';

/** User and group ids of the machine that a user namespace has, from its own 0 on. */
export interface UserRange {
  readonly first: number;
  readonly count: number;
}

const idsPerRange = 65_536;
/** Ids from 1879048192 to 2147418111: what systemd's table of ids leaves free, and no tool hands out to users. */
const lowestRange = 0x7000;
const ranges = 0x7fff - lowestRange;

/**
 * Hands out ranges of ids that no two sandboxes of a machine share. A range is held by a file `users/NUMBER` in a node's run
 * directory, whose text is the sandbox's id. `neighbours` is the folder of the clusters' folders of such directories.
 */
export class UserRanges {
  readonly #runDirectory: string;
  readonly #neighbours: string | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(runDirectory: string, neighbours?: string) {
    this.#runDirectory = runDirectory;
    this.#neighbours = neighbours;
  }

  /** A free range. Throws `RuntimeError` when there is none. */
  take(sandboxId: string): Promise<UserRange> {
    const taken = this.#last.then(() => this.#take(sandboxId));
    this.#last = taken.catch(() => {});
    return taken;
  }

  /** Gives back what a sandbox has; idempotent. */
  async release(sandboxId: string): Promise<void> {
    const folder = usersOf(this.#runDirectory);
    for (const name of await names(folder)) {
      const file = join(folder, name);
      if ((await readIfPresent(file)) === sandboxId) await rm(file, { force: true });
    }
  }

  async #take(sandboxId: string): Promise<UserRange> {
    const folder = usersOf(this.#runDirectory);
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const start = randomInt(ranges);
    const used = new Set(await this.#held());
    for (let step = 0; step < ranges; step += 1) {
      const name = String(lowestRange + ((start + step) % ranges));
      if (used.has(name)) continue;
      const file = join(folder, name);
      await writeFile(file, sandboxId, { flag: 'wx' });
      // Another cluster may have chosen the same in this moment: then both try again.
      const holders = (await this.#held()).filter((held) => held === name);
      if (holders.length === 1) return { first: Number(name) * idsPerRange, count: idsPerRange };
      await rm(file, { force: true });
    }
    throw new RuntimeError('FAILED', `all ${ranges} ranges of user ids for pods are in use`);
  }

  /** The range of every holder on this machine. */
  async #held(): Promise<readonly string[]> {
    const own = usersOf(this.#runDirectory);
    const clusters = this.#neighbours === undefined ? [] : await within([this.#neighbours]);
    const folders = new Set([own, ...(await within(clusters)).map(usersOf)]);
    return (await Promise.all([...folders].map(names))).flat();
  }
}

async function within(folders: readonly string[]): Promise<readonly string[]> {
  const all = await Promise.all(
    folders.map(async (folder) => (await names(folder)).map((name) => join(folder, name))),
  );
  return all.flat();
}

function usersOf(runDirectory: string): string {
  return join(runDirectory, 'users');
}

async function names(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isMissing(error) || (error as NodeJS.ErrnoException).code === 'ENOTDIR') return [];
    throw error;
  }
}

/** Whether this process has all user and group ids of the machine to give away. */
export async function hasAllIds(): Promise<boolean> {
  const maps = await Promise.all(
    ['uid_map', 'gid_map'].map((name) => readFile(`/proc/self/${name}`, 'utf8')),
  );
  return maps.every((map) => map.trim().split(/\s+/).join(' ') === '0 0 4294967295');
}
