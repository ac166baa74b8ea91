import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerSpec, SandboxSpec } from '../../container-runtime.ts';
import type { UserRange } from './user-ranges.ts';
import { isMissing, readIfPresent } from '../state-file.ts';

/** What the runtime keeps of a sandbox, in `sandboxes/ID/sandbox.json`. */
export interface SandboxRecord {
  readonly id: string;
  readonly spec: SandboxSpec;
  readonly createdAt: number;
  /** The machine's boot in which it was made; its namespaces do not outlive that. */
  readonly bootId: string;
  readonly ip?: string;
  readonly additionalIPs?: readonly string[];
  readonly pausePid?: number;
  /** The ids of its user namespace, if it has one of its own. */
  readonly users?: UserRange;
  readonly stopped: boolean;
}

/** What it keeps of a container, in `containers/ID/container.json`; start and end are files of the run directory. */
export interface ContainerRecord {
  readonly id: string;
  readonly sandboxId: string;
  readonly podUid: string;
  readonly spec: ContainerSpec;
  readonly createdAt: number;
  readonly bootId: string;
  readonly stopSignal: string;
}

/** Every record of a folder of folders; one whose writing was cut short is skipped and given in `broken`. */
export async function readRecords<T extends object>(
  folder: string,
  file: string,
): Promise<{ readonly records: readonly T[]; readonly broken: readonly string[] }> {
  const names = await readdir(folder);
  const texts = await Promise.all(names.map((name) => readIfPresent(join(folder, name, file))));
  const records = texts.flatMap((text) => (text === undefined ? [] : [JSON.parse(text) as T]));
  return { records, broken: names.filter((_, position) => texts[position] === undefined) };
}

export interface WrittenFact {
  readonly text: string;
  /** When the file was written, in milliseconds since the epoch. */
  readonly at: number;
}

/** A line that a wrapper or a launcher writes once; undefined until it is complete. */
export async function readFact(path: string): Promise<WrittenFact | undefined> {
  try {
    const text = await readFile(path, 'utf8');
    if (!/\d/.test(text)) return undefined;
    return { text: text.trim(), at: (await stat(path)).mtimeMs };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Identifies this run of the machine. */
export async function readBootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

/** Whether the process is the wrapper of the container, not another that got its number. */
export async function isShimOf(pid: number, containerId: string): Promise<boolean> {
  return ((await readIfPresent(`/proc/${pid}/cmdline`).catch(() => undefined)) ?? '').includes(containerId);
}
