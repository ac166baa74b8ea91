import { rm } from 'node:fs/promises';
import type { Clock } from '../base/clock.ts';
import { sleep } from '../base/clock.ts';
import { adminKubeconfigFile } from './admin-kubeconfig.ts';
import { ClusterError } from './cluster-error.ts';
import { isRunning, readRecord, removeRecord, writeRecord } from './cluster-record.ts';
import type { ClusterRecord } from './cluster-record.ts';
import { withHomeLock } from './home-lock.ts';
import type { Home } from './home.ts';
import { retractKubeconfig } from './kubeconfig-files.ts';
import { removeData } from './rootless/remove-data.ts';
import { rootlessDirectory } from './rootless/rootless.ts';
import { removeTraces } from './remove-traces.ts';

export interface StopOptions {
  readonly home: Home;
  readonly name: string;
  readonly clock: Clock;
  readonly data: 'keep' | 'delete';
}

export interface StopOutcome {
  readonly wasRunning: boolean;
  readonly dataDirectory: string;
}

const pollMs = 20;
/** How long a cluster's process may take to end its containers in order before it is killed. */
export const defaultStopPatienceMs = 30_000;

/**
 * Stops a cluster. When it returns, no process, mount, namespace, link, address, rule or cgroup of the cluster is left,
 * whether its own process ended in order, was killed, or never came up; idempotent. Throws `NOT_FOUND`.
 */
export async function stopCluster({ home, name, clock, data }: StopOptions): Promise<StopOutcome> {
  const record = await readRecord(home, name);
  if (!record)
    throw new ClusterError(
      'NOT_FOUND',
      `there is no cluster named ${name}; \`kanoe list\` shows those there are`,
    );
  const wasRunning = await isRunning(record);
  if (wasRunning) await endProcess(record, clock);
  await removeTraces(record, clock);
  await rm(rootlessDirectory(home.directory, name), { recursive: true, force: true });
  await withHomeLock(home, clock, () => retractKubeconfig(record));
  if (data === 'delete') {
    await removeData(record.dataDirectory);
    if (record.logFile) await rm(record.logFile, { force: true });
    await rm(adminKubeconfigFile(home, name), { force: true });
    await removeRecord(home, name);
  } else {
    const { process: _process, mergedKubeconfig: _merged, ...rest } = record;
    await writeRecord(home, rest);
  }
  return { wasRunning, dataDirectory: record.dataDirectory };
}

async function endProcess(record: ClusterRecord, clock: Clock): Promise<void> {
  const pid = record.process?.pid;
  if (pid === undefined) return;
  try {
    process.kill(pid, 'SIGTERM');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ESRCH') return;
    throw new ClusterError(
      'FAILED',
      `cannot stop process ${pid} of cluster ${record.name}: it belongs to another user; run the command as that user (sudo)`,
      { cause: error },
    );
  }
  const deadline = clock.monotonic() + (record.stopPatienceMs ?? defaultStopPatienceMs);
  while (await isRunning(record)) {
    if (clock.monotonic() > deadline) {
      process.kill(pid, 'SIGKILL');
      while (await isRunning(record)) await sleep(clock, pollMs);
      return;
    }
    await sleep(clock, pollMs);
  }
}
