import { readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../../base/clock.ts';
import type { ContainerRuntime } from '../container-runtime.ts';
import { isMissing } from '../missing-file.ts';

export interface LogRotation {
  readonly runtime: ContainerRuntime;
  readonly clock: Clock;
  readonly maxBytes: number;
  /** The one that is written to included. */
  readonly maxFiles: number;
}

/**
 * Rotates the logs of running containers that have grown too large, where the runtime leaves that to the node (the kubelet's
 * ContainerLogManager): `0.log` becomes `0.log.20260101-000000`, and the runtime begins a new one.
 */
export async function rotateLogs({ runtime, clock, maxBytes, maxFiles }: LogRotation): Promise<void> {
  if (!runtime.reopenLog) return;
  for (const { id, state, logPath } of await runtime.listContainers()) {
    if (state !== 'running' || (await sizeOf(logPath)) < maxBytes) continue;
    const stamp = new Date(clock.now()).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
    const rotated = `${logPath}.${stamp}`;
    await rename(logPath, rotated);
    try {
      await runtime.reopenLog(id);
    } catch (error) {
      // The runtime goes on writing to the file under whatever name it has.
      await rename(rotated, logPath);
      throw error;
    }
    await removeOldest(logPath, maxFiles - 1);
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

async function removeOldest(path: string, keep: number): Promise<void> {
  const folder = dirname(path);
  const rotated = (await readdir(folder)).filter((name) => name.startsWith(`${basename(path)}.`)).sort();
  for (const name of rotated.slice(0, Math.max(0, rotated.length - keep))) await rm(join(folder, name));
}
