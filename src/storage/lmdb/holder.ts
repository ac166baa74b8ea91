import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
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

/** Takes the directory for this process or throws `HELD`. A holder that no longer lives is replaced. */
export async function holdDirectory(directory: string, clock: Clock): Promise<{ release(): Promise<void> }> {
  const path = join(directory, 'holder.json');
  const mine: Holder = {
    pid: process.pid,
    started: await processStart(process.pid),
    since: timestamp(clock.now()),
  };
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, `${JSON.stringify(mine)}\n`, { mode: 0o600, flush: true });
  try {
    while (!(await tryLink(draft, path))) {
      const text = await readText(path);
      if (text === undefined) continue;
      const holder = parseHolder(text);
      if (holder && (await isAlive(holder))) throw heldError(directory, holder);
      await removeStale(path, text);
    }
  } finally {
    await rm(draft, { force: true });
  }
  return { release: () => rm(path, { force: true }) };
}

/** Moves the file aside first, so that of several that find it stale none removes the successor's. */
async function removeStale(path: string, stale: string): Promise<void> {
  const aside = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if ((await readText(aside)) !== stale) await tryLink(aside, path);
  await rm(aside, { force: true });
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

/** Tells a process from a later one of the same pid: boot and clock ticks since then, from proc(5). */
async function processStart(pid: number): Promise<string> {
  const stat = await readText(`/proc/${pid}/stat`);
  if (stat === undefined) return '';
  const boot = (await readText('/proc/sys/kernel/random/boot_id')) ?? '';
  // The second field is the command in parentheses and may itself hold spaces and parentheses.
  const [, ...fields] = stat.slice(stat.lastIndexOf(')')).split(' ');
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
