import { readFile, statfs } from 'node:fs/promises';
import type { Observation, Observations } from './plan-eviction.ts';

/** Looks at what is free on the machine: memory, process ids, the disks of pods and of images. */
export async function observeNode(of: {
  readonly podsDirectory: string;
  readonly imagesDirectory: string;
}): Promise<Observations> {
  const [memory, pids, nodefs, imagefs] = await Promise.all([
    readFile('/proc/meminfo', 'utf8').then(availableMemory, () => undefined),
    availablePids().catch(() => undefined),
    statfs(of.podsDirectory),
    statfs(of.imagesDirectory).catch(() => undefined),
  ]);
  const bytes = (disk: typeof nodefs): Observation => ({
    available: disk.bavail * disk.bsize,
    capacity: disk.blocks * disk.bsize,
  });
  const inodes = (disk: typeof nodefs): Observation => ({
    available: disk.ffree,
    capacity: disk.files,
  });
  return {
    ...(memory && { 'memory.available': memory }),
    ...(pids && { 'pid.available': pids }),
    'nodefs.available': bytes(nodefs),
    ...(nodefs.files > 0 && { 'nodefs.inodesFree': inodes(nodefs) }),
    ...(imagefs && { 'imagefs.available': bytes(imagefs) }),
    ...(imagefs && imagefs.files > 0 && { 'imagefs.inodesFree': inodes(imagefs) }),
  };
}

/** From the text of `/proc/meminfo`. */
export function availableMemory(text: string): Observations['memory.available'] {
  const kibibytes = (name: string): number =>
    Number(new RegExp(`^${name}: +(\\d+) kB`, 'm').exec(text)?.[1] ?? 0);
  const capacity = kibibytes('MemTotal') * 1024;
  return capacity === 0 ? undefined : { capacity, available: kibibytes('MemAvailable') * 1024 };
}

async function availablePids(): Promise<Observations['pid.available']> {
  const [most, threads, load] = await Promise.all(
    ['/proc/sys/kernel/pid_max', '/proc/sys/kernel/threads-max', '/proc/loadavg'].map((path) =>
      readFile(path, 'utf8'),
    ),
  );
  const capacity = Math.min(Number(most), Number(threads));
  const running = Number(/\/(\d+)/.exec(load ?? '')?.[1] ?? 0);
  return { capacity, available: capacity - running };
}
