import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { removeNetwork } from '../network/remove-network.ts';
import { purgeNativeRuntime } from '../node/runtimes/native/purge.ts';
import { purgeProcessRuntime } from '../node/runtimes/process/purge-process-runtime.ts';
import type { ClusterRecord } from './cluster-record.ts';

/** Removes whatever a cluster left on the machine outside its data; needs no process of the cluster; idempotent. */
export async function removeTraces(
  record: Pick<ClusterRecord, 'id' | 'dataDirectory' | 'runDirectory'>,
): Promise<void> {
  const { id, dataDirectory, runDirectory } = record;
  const directory = join(dataDirectory, 'containers');
  await purgeProcessRuntime({ directory: join(dataDirectory, 'processes') });
  if (process.platform === 'linux' && process.getuid?.() === 0) {
    await purgeNativeRuntime({ directory, runDirectory: join(runDirectory, 'containers'), clusterId: id, clock });
    await removeNetwork({ id });
  }
  await rm(runDirectory, { recursive: true, force: true });
}
