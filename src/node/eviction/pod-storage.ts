import { join } from 'node:path';
import type { Pod } from '../../api/core/v1.gen.ts';
import type { ContainerRuntime, ContainerStatus } from '../container-runtime.ts';
import type { PodDirectories } from '../pod-directories.ts';
import { diskUsage } from './disk-usage.ts';
import type { PodStorage } from './storage-limits.ts';

/** What to look at. */
export interface PodStorageSource {
  readonly pod: Pod;
  readonly directories: PodDirectories;
  readonly running: readonly ContainerStatus[];
  readonly runtime: Pick<ContainerRuntime, 'writableLayer'>;
  pathOf(volume: string): string | undefined;
}

/** Measures what a pod has on the node's disk: emptyDirs, logs, and what its containers wrote over their images. */
export async function podStorage(source: PodStorageSource): Promise<PodStorage> {
  const { pod, directories, running, runtime } = source;
  const emptyDirs = new Map<string, number>();
  const containers = new Map<string, number>();
  let inodes = 0;
  for (const { name, emptyDir } of pod.spec.volumes ?? []) {
    const path = source.pathOf(name);
    if (!emptyDir || emptyDir.medium === 'Memory' || path === undefined) continue;
    const used = await diskUsage(path);
    emptyDirs.set(name, used.bytes);
    inodes += used.inodes;
  }
  for (const { id, name } of running) {
    const logs = await diskUsage(join(directories.logs, name));
    const layer = runtime.writableLayer?.(id);
    const written = layer === undefined ? { bytes: 0, inodes: 0 } : await diskUsage(layer);
    containers.set(name, logs.bytes + written.bytes);
    inodes += logs.inodes + written.inodes;
  }
  return { emptyDirs, containers, inodes };
}
