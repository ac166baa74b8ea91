import { readdir, readFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { ancestorsOf, signalProcess } from '../processes.ts';

export interface ExecutedCommand {
  /** The container's main process. */
  readonly containerPid: number;
  readonly command: readonly string[];
  /** Processes that were there before the command was asked for. */
  readonly before: ReadonlySet<number>;
}

/** Processes with the same parent as a container's main process: that, and what was executed in it. */
export async function siblingsOf(containerPid: number): Promise<readonly number[]> {
  const [parent] = await ancestorsOf(containerPid);
  if (parent === undefined) return [];
  return childrenOf(parent);
}

/**
 * Kills a command that was executed in a container, and what it started. CRI can only ask for a command, not end it; here it is
 * found on the machine as a new child of the container's shim. Where several are new, its arguments tell, or else its age.
 */
export async function killExecuted({ containerPid, command, before }: ExecutedCommand): Promise<void> {
  const fresh = (await siblingsOf(containerPid)).filter((pid) => pid !== containerPid && !before.has(pid));
  const arguments_ = await Promise.all(fresh.map(argumentsOf));
  const exact = fresh[arguments_.indexOf(command.join('\0'))];
  const found = exact ?? fresh.toSorted((a, b) => a - b)[0];
  if (found !== undefined) await killTree(found);
}

async function killTree(pid: number): Promise<void> {
  const children = await childrenOf(pid);
  signalProcess(pid, constants.signals.SIGKILL);
  for (const child of children) await killTree(child);
}

/** Children of all of a process's threads. */
async function childrenOf(pid: number): Promise<readonly number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  return lists.flatMap((list) =>
    list
      .split(' ')
      .map(Number)
      .filter((child) => child > 1),
  );
}

async function argumentsOf(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return text.replace(/\0$/, '');
}
