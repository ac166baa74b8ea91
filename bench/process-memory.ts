import { readFile } from 'node:fs/promises';

/** What a process occupies, in bytes. */
export interface ProcessMemory {
  /** Proportional set size: with its share of files that are mapped, the store's among them. */
  readonly total: number;
  /** What is its own and in no file: the heap and buffers. */
  readonly own: number;
}

export async function processMemory(pid: number | undefined): Promise<ProcessMemory> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const bytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0) * 1024;
  return { total: bytes('Pss'), own: bytes('Pss_Anon') };
}
