import { pods } from '../../api/core/v1.gen.ts';
import { isStatus } from '../../machinery/status-error.ts';
import type { Handle } from '../framework.ts';
import type { PodInfo } from '../pod-info.ts';
import type { Candidate } from './victims.ts';

export interface RemovalOptions {
  readonly handle: Handle;
  /** Called before the last victim goes: its deletion may wake the pod. */
  finishing(): void;
}

/**
 * Removes the victims in the background: a DisruptionTarget condition, the deletion, an event. Less important pods that
 * were nominated to the node lose that, since they may not fit there any more. Should a removal fail, the pod is tried
 * again at once.
 */
export async function removeVictims(
  { node, victims }: Candidate,
  preemptor: PodInfo,
  { handle, finishing }: RemovalOptions,
): Promise<void> {
  for (const other of handle.nominations.on(node.name)) {
    if (other.priority < preemptor.priority) handle.clearNomination(other);
  }
  const last = victims.at(-1);
  try {
    await Promise.all(victims.slice(0, -1).map((victim) => remove(victim, { node, preemptor, handle })));
    finishing();
    const goes = last && (await remove(last, { node, preemptor, handle }));
    if (!goes) handle.activate([preemptor.uid]);
  } catch (error) {
    finishing();
    handle.onFailure('DefaultPreemption', preemptor, error);
    handle.activate([preemptor.uid]);
  }
}

interface Removal {
  readonly node: Candidate['node'];
  readonly preemptor: PodInfo;
  readonly handle: Handle;
}

/** Whether the victim's going is still to be heard of. */
async function remove(victim: PodInfo, { node, preemptor, handle }: Removal): Promise<boolean> {
  const { namespace, name, uid, pod } = victim;
  const message = `Preempted by pod ${preemptor.uid} on node ${node.name}`;
  for (const waiting of handle.waitingPods()) {
    if (waiting.info.uid !== uid) continue;
    waiting.reject('DefaultPreemption', 'preempted');
    handle.events.record(pod, 'Normal', 'Preempted', message);
    return true;
  }
  if (pod.metadata.deletionTimestamp !== undefined)
    return handle.snapshot.node(node.name)?.pods.has(uid) === true;
  await handle.writeStatus(pod, {
    condition: {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'PreemptionByScheduler',
      message: `${handle.profileName}: preempting to accommodate a higher priority pod`,
    },
  });
  try {
    await handle.client.for(pods).delete({ namespace, name }, { preconditions: { uid } });
  } catch (error) {
    if (isStatus(error, 'NotFound') || isStatus(error, 'Conflict')) return false;
    throw error;
  }
  handle.events.record(pod, 'Normal', 'Preempted', message);
  return true;
}
