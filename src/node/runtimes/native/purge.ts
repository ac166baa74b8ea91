import { mkdir, readdir, rm } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { sleep, type Clock } from '../../../base/clock.ts';
import { processExists, signalProcess } from '../processes.ts';
import { Cgroups, detectCgroups } from './cgroups.ts';
import { nativeLayout } from './layout.ts';
import { isShimOf, readFact } from './records.ts';
import { unmountBelow } from './sandbox-namespaces.ts';

export interface PurgeOptions {
  readonly directory: string;
  readonly runDirectory: string;
  readonly clusterId: string;
  readonly clock: Clock;
  readonly cgroupRoot?: string;
}

/**
 * Without any agent: kills every container of the cluster and removes its mounts, namespaces, control groups and files.
 * Idempotent. Both folders must be the runtime's alone; the pods' links go with their network namespaces.
 */
export async function purgeNativeRuntime(options: PurgeOptions): Promise<void> {
  const layout = nativeLayout(options.directory, options.runDirectory);
  const cgroups = new Cgroups(await detectCgroups(), options.cgroupRoot ?? `kanoe-${options.clusterId}`);
  const shims = await shimsOf(layout.shims);
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const killed = await cgroups.kill('');
    if (killed.length === 0 && !shims.some(processExists)) break;
    if (attempt > 50) for (const shim of shims) signalProcess(shim, constants.signals.SIGKILL);
    await sleep(options.clock, 20);
  }
  await unmountBelow([options.directory, options.runDirectory]);
  await cgroups.remove('', options.clock);
  await rm(options.runDirectory, { recursive: true, force: true });
  await rm(options.directory, { recursive: true, force: true });
  await mkdir(options.directory, { recursive: true, mode: 0o700 });
}

async function shimsOf(folder: string): Promise<readonly number[]> {
  const ids = await readdir(folder).catch(() => []);
  const found = await Promise.all(
    ids.map(async (id) => {
      const fact = await readFact(join(folder, id));
      const pid = Number(fact?.text ?? 0);
      return pid > 1 && (await isShimOf(pid, id)) ? [pid] : [];
    }),
  );
  return found.flat();
}
