import { link, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { timestamp, type Clock } from '../../base/clock.ts';
import { StoreError } from '../kv.ts';

/** Who uses a data directory. */
interface Holder {
  readonly pid: number;
  /** When the process started, in a form only good for comparison; empty where the system does not tell. */
  readonly started: string;
  /** When it took the directory, RFC 3339. */
  readonly since: string;
}

const NAME = /^holder\.(\d+)\.json$/;

/**
 * Takes the directory for this process or throws `HELD`. A holder that no longer lives is replaced.
 *
 *     holder.3.json   pid 812, dead      →  link holder.4.json; of several only one succeeds
 *     holder.4.json   this process       →  look again: is nobody else alive? then remove holder.3.json
 */
export async function holdDirectory(directory: string, clock: Clock): Promise<{ release(): Promise<void> }> {
  const mine: Holder = {
    pid: process.pid,
    started: await processStart(process.pid),
    since: timestamp(clock.now()),
  };
  const draft = join(directory, `holder.${process.pid}.${randomBytes(4).toString('hex')}`);
  await writeFile(draft, `${JSON.stringify(mine)}\n`, { mode: 0o600, flush: true });
  try {
    for (;;) {
      const newest = Math.max(0, ...(await staleHolders(directory, 0)));
      const path = pathOf(directory, newest + 1);
      if (!(await tryLink(draft, path))) continue;
      try {
        for (const stale of await staleHolders(directory, newest + 1)) {
          await rm(pathOf(directory, stale), { force: true });
        }
      } catch (error) {
        await rm(path, { force: true });
        throw error;
      }
      return { release: () => rm(path, { force: true }) };
    }
  } finally {
    await rm(draft, { force: true });
  }
}

/** The numbers of the holders beside `own`. Throws `HELD` when one of them lives. */
async function staleHolders(directory: string, own: number): Promise<number[]> {
  const names = await readdir(directory);
  const numbers = names.map((name) => Number(NAME.exec(name)?.[1] ?? own)).filter((number) => number !== own);
  for (const number of numbers) {
    const holder = parseHolder((await readText(pathOf(directory, number))) ?? '');
    if (holder && (await isAlive(holder))) throw heldError(directory, holder);
  }
  return numbers;
}

function pathOf(directory: string, number: number): string {
  return join(directory, `holder.${number}.json`);
}

/** Whether `path` was free and now is `draft`. */
async function tryLink(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

async function isAlive({ pid, started }: Holder): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (codeOf(error) !== 'EPERM') return false;
  }
  return (await processStart(pid)) === started;
}

/** Tells a process from a later one of the same pid, and from its own remains: boot and clock ticks since then, from proc(5). */
async function processStart(pid: number): Promise<string> {
  const stat = await readText(`/proc/${pid}/stat`);
  if (stat === undefined) return '';
  const boot = (await readText('/proc/sys/kernel/random/boot_id')) ?? '';
  // The second field is the command in parentheses and may itself hold spaces and parentheses.
  const [, ...fields] = stat.slice(stat.lastIndexOf(')')).split(' ');
  if (fields[0] === 'Z') return 'ended';
  return `${boot.trim()}/${fields[19] ?? ''}`;
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return undefined;
    throw error;
  }
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { pid, started, since }: Partial<Holder> = JSON.parse(text);
    if (typeof pid !== 'number' || typeof started !== 'string' || typeof since !== 'string') return undefined;
    return { pid, started, since };
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function heldError(directory: string, { pid, since }: Holder): StoreError {
  return new StoreError(
    'HELD',
    `${directory} is held by process ${pid} since ${since}: stop that cluster first, or use another data directory`,
  );
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
