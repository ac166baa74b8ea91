import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { removeNetwork } from '../network/remove-network.ts';
import { unmountNodeFiles } from '../node/node-files.ts';
import { releaseDisks } from '../node/local-storage/disk-files.ts';
import { purgeCriRuntime } from '../node/runtimes/cri/purge-cri-runtime.ts';
import { purgeNativeRuntime } from '../node/runtimes/native/purge.ts';
import { purgeProcessRuntime } from '../node/runtimes/process/process-runtime.ts';
import type { ClusterRecord } from './cluster-record.ts';

/** Ends what is left of one node of this machine (its index counts from 0) and removes it; idempotent. */
export async function removeNodeTraces(
  { id, dataDirectory, runDirectory }: Pick<ClusterRecord, 'id' | 'dataDirectory' | 'runDirectory'>,
  index: number,
  clock: Clock,
): Promise<void> {
  const number = String(index + 1);
  const node = join(dataDirectory, 'nodes', number);
  const directory = join(node, 'containers');
  await purgeCriRuntime({ directory, clock });
  await purgeProcessRuntime({ directory });
  if (!runsNative()) return;
  await purgeNativeRuntime({
    directory,
    runDirectory: join(runDirectory, number),
    clusterId: id,
    cgroupRoot: `kanoe-${id}/${number}`,
    clock,
  });
  await unmountNodeFiles(node);
}

function runsNative(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0;
}

/** Removes whatever a cluster left on the machine outside its data; needs no process of the cluster; idempotent. */
export async function removeTraces(
  record: Pick<ClusterRecord, 'id' | 'dataDirectory' | 'runDirectory'>,
  clock: Clock,
): Promise<void> {
  const { id, dataDirectory, runDirectory } = record;
  const nodes = join(dataDirectory, 'nodes');
  const native = runsNative();
  for (const node of await readdir(nodes).catch(() => [])) {
    const directory = join(nodes, node, 'containers');
    await purgeCriRuntime({ directory, clock });
    await purgeProcessRuntime({ directory });
    if (!native) continue;
    await purgeNativeRuntime({ directory, runDirectory: join(runDirectory, node), clusterId: id, clock });
    await unmountNodeFiles(join(nodes, node));
  }
  if (native) await releaseDisks(dataDirectory);
  if (native) await removeNetwork({ clusterId: id });
  await rm(runDirectory, { recursive: true, force: true });
}
