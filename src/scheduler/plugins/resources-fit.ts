import type { PluginFactory } from '../framework.ts';
import type { NodeInfo } from '../node-info.ts';
import type { PodInfo } from '../pod-info.ts';
import { unresolvable, unschedulable, type Status } from '../status.ts';

const name = 'NodeResourcesFit';

/** Keeps the sum of requests within what a node can give; prefers nodes of which the least is requested. */
export const resourcesFit: PluginFactory = {
  name,
  create: () => ({
    name,
    filter: (_state, pod, node) => shortage(pod, node),
    score: (_state, pod, { allocatable, scoringCpu, scoringMemory }) =>
      Math.floor(
        (freePercent(allocatable.milliCpu, scoringCpu + pod.scoringCpu) +
          freePercent(allocatable.memory, scoringMemory + pod.scoringMemory)) /
          2,
      ),
    eventsToRegister: () => [
      { resource: 'AssignedPod', actions: ['Delete', 'UpdatePodScaleDown'] },
      { resource: 'TargetPod', actions: ['UpdatePodScaleDown'] },
      { resource: 'Node', actions: ['Add', 'UpdateNodeAllocatable'] },
    ],
  }),
};

function shortage({ requests }: PodInfo, node: NodeInfo): Status | undefined {
  const { allocatable, requested } = node;
  const reasons: string[] = [];
  let final = false;
  if (node.pods.size + 1 > node.allowedPods) reasons.push('Too many pods');
  const check = (resource: string, wanted: number, all: number, used: number): void => {
    if (wanted <= 0 || wanted <= all - used) return;
    reasons.push(`Insufficient ${resource}`);
    if (wanted > all) final = true;
  };
  check('cpu', requests.milliCpu, allocatable.milliCpu, requested.milliCpu);
  check('memory', requests.memory, allocatable.memory, requested.memory);
  check(
    'ephemeral-storage',
    requests.ephemeralStorage,
    allocatable.ephemeralStorage,
    requested.ephemeralStorage,
  );
  for (const [resource, wanted] of requests.scalars) {
    check(resource, wanted, allocatable.scalars.get(resource) ?? 0, requested.scalars.get(resource) ?? 0);
  }
  if (reasons.length === 0) return undefined;
  return final ? unresolvable(...reasons) : unschedulable(...reasons);
}

function freePercent(allocatable: number, requested: number): number {
  if (allocatable === 0 || requested > allocatable) return 0;
  return Math.floor(((allocatable - requested) * 100) / allocatable);
}
