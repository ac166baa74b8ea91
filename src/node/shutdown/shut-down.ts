import type { PodWorker } from '../pod-worker.ts';
import { planShutdown } from './plan-shutdown.ts';

const VERDICT = {
  reason: 'Terminated',
  message: 'Pod was terminated in response to imminent node shutdown.',
  disrupted: true,
};

/** Ends pods in the order of their priorities; resolves when all have ended and the API knows. */
export async function shutDown(
  workers: readonly PodWorker[],
  grace: readonly { readonly priority: number; readonly graceMs: number }[],
): Promise<void> {
  const members = workers.map((worker) => ({ worker, pod: worker.pod }));
  for (const group of planShutdown(members, grace)) {
    for (const { worker, graceMs } of group.members) worker.evict(VERDICT, graceMs);
    await Promise.all(group.members.map(({ worker }) => worker.ended()));
  }
}
