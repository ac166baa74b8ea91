import { join } from 'node:path';
import type { Clock } from '../../../base/clock.ts';
import { RuntimeError } from '../../container-runtime.ts';
import { readIfPresent } from '../state-file.ts';
import { Cgroups, detectCgroups } from '../native/cgroups.ts';
import { criRecordFile, type CriRecord } from './cri-record.ts';

/**
 * Without any agent: ends and removes the sandboxes and containers that a runtime still has of the node whose state was in
 * `directory`. Does nothing, and loads nothing, where no CRI runtime was used. Throws when the runtime does not answer.
 */
export async function purgeCriRuntime(options: {
  readonly directory: string;
  readonly clock: Clock;
}): Promise<void> {
  const text = await readIfPresent(join(options.directory, criRecordFile));
  if (text === undefined) return;
  const { endpoint, owner, cgroupRoot } = JSON.parse(text) as CriRecord;
  const [{ connectCri }, { ownLabels }, { removeCniNetwork }] = await Promise.all([
    import('./connect-cri.ts'),
    import('./cri-config.ts'),
    import('./cni-network.ts'),
  ]);
  const connection = await connectCri(endpoint, options.clock);
  try {
    const filter = { label_selector: ownLabels(owner) };
    const { items } = await connection.call('ListPodSandbox', { filter });
    await Promise.all(
      items.map(async ({ id }) => {
        await connection.call('StopPodSandbox', { pod_sandbox_id: id });
        await connection.call('RemovePodSandbox', { pod_sandbox_id: id });
      }),
    );
    await removeCniNetwork(connection, owner.clusterId);
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    throw new RuntimeError(
      error.code,
      `${error.message}; containers of the cluster may still be there: start the runtime and stop the cluster again`,
      { cause: error },
    );
  } finally {
    connection.close();
  }
  await new Cgroups(await detectCgroups(), cgroupRoot).remove('', options.clock);
}
