import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ContainerStatus, SandboxStatus } from './container-runtime.ts';
import type { NodeContext } from './node-context.ts';
import { GRACE_SECONDS } from './sandbox-spec.ts';
import { unmountBelow } from './volumes/tmpfs.ts';

/** Ends what still runs of a pod that was deleted while no agent looked, and removes its files. */
export async function stopOrphan(
  node: NodeContext,
  sandbox: SandboxStatus,
  containers: readonly ContainerStatus[],
): Promise<void> {
  const graceMs = Number(sandbox.annotations[GRACE_SECONDS] ?? 30) * 1000;
  const running = containers.filter((container) => container.state === 'running');
  await Promise.all(running.map(({ id }) => node.runtime.stopContainer(id, graceMs)));
  await node.runtime.removeSandbox(sandbox.id);
  const memory = join(node.memoryDirectory, sandbox.podUid);
  await node.csi.unpublish(sandbox.podUid).catch(node.onError);
  await unmountBelow(memory);
  await unmountBelow(join(node.directory, 'pods', sandbox.podUid));
  await node.localVolumes?.unpublish(sandbox.podUid);
  const { podNamespace, podName, podUid } = sandbox;
  const leftovers = [
    memory,
    join(node.directory, 'pods', podUid),
    join(node.directory, 'logs', `${podNamespace}_${podName}_${podUid}`),
  ];
  await Promise.all(leftovers.map((path) => rm(path, { recursive: true, force: true })));
}
