import type { ContainerRuntime, ContainerStatus } from '../container-runtime.ts';
import type { PodUse } from './eviction-manager.ts';
import { totalStorage, type PodStorage } from './storage-limits.ts';

/** Measures what a pod's running containers use of something. */
export async function podUse(
  resource: 'memory' | 'pids' | 'inodes' | 'ephemeral-storage',
  of: {
    readonly running: readonly ContainerStatus[];
    readonly runtime: Pick<ContainerRuntime, 'stats'>;
    storage(): Promise<PodStorage>;
  },
): Promise<PodUse> {
  if (resource === 'inodes' || resource === 'ephemeral-storage') {
    const storage = await of.storage();
    const total = resource === 'inodes' ? storage.inodes : totalStorage(storage);
    return { total, byContainer: storage.containers };
  }
  const byContainer = new Map<string, number>();
  for (const { id, name } of of.running) {
    const stats = await of.runtime.stats(id).catch(() => undefined);
    byContainer.set(name, (resource === 'memory' ? stats?.memoryWorkingSetBytes : stats?.pids) ?? 0);
  }
  return { total: [...byContainer.values()].reduce((sum, one) => sum + one, 0), byContainer };
}
