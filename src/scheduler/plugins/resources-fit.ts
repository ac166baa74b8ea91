import type { Node, Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import type { ClusterEvent, QueueingHint } from '../cluster-event.ts';
import type { PluginFactory } from '../framework.ts';
import { NodeInfo } from '../node-info.ts';
import { podInfo, type PodInfo } from '../pod-info.ts';
import { amountOf, type ResourceAmounts } from '../resource-amounts.ts';
import { unresolvable, unschedulable, type Status } from '../status.ts';
import { extendedClassLookup } from './devices/extended-classes.ts';
import { strategyScorer } from './resource-scoring.ts';

const name = 'NodeResourcesFit';

/** Whether the filter looks at a resource of which a node has this much. */
type IsChecked = (resource: string, allocatable: number) => boolean;

/** Keeps the sum of requests within what a node can give; scores nodes by how much of them is requested. */
export const resourcesFit: PluginFactory = {
  name,
  create({ informers }, { NodeResourcesFit: { ignoredResources, ignoredResourceGroups, scoringStrategy } }) {
    const ignored = new Set(ignoredResources);
    const ignoredGroups = new Set(ignoredResourceGroups);
    const deviceClass = extendedClassLookup(informers);
    const isChecked: IsChecked = (resource, allocatable) =>
      !ignored.has(resource) &&
      !ignoredGroups.has(resource.slice(0, Math.max(0, resource.indexOf('/')))) &&
      (allocatable > 0 || !deviceClass(resource));
    const scorer = strategyScorer(scoringStrategy);
    return {
      name,
      filter: (_state, pod, node) => shortage(pod, node, isChecked),
      score: (_state, pod, node) => scorer(pod, node),
      eventsToRegister: () => [
        {
          resource: 'AssignedPod',
          actions: ['Delete', 'UpdatePodScaleDown'],
          hint: (pod, event) => podHint(pod, event),
        },
        { resource: 'TargetPod', actions: ['UpdatePodScaleDown'] },
        { resource: 'DeviceClass', actions: ['Add', 'Update'] },
        {
          resource: 'Node',
          actions: ['Add', 'UpdateNodeAllocatable'],
          hint: (pod, event) => nodeHint(pod, event, isChecked),
        },
      ],
    };
  },
};

/** What the node lacks for the pod, in upstream's order; `Unresolvable` when it lacks it even when empty. */
export function shortage({ requests }: PodInfo, node: NodeInfo, isChecked: IsChecked): Status | undefined {
  if (hasRoom(requests, node)) return undefined;
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
    const all = allocatable.scalars.get(resource) ?? 0;
    if (isChecked(resource, all)) check(resource, wanted, all, requested.scalars.get(resource) ?? 0);
  }
  if (reasons.length === 0) return undefined;
  return final ? unresolvable(...reasons) : unschedulable(...reasons);
}

/** The usual case, told without ado: there is room for one more pod that asks for no extended resources. */
function hasRoom(
  { milliCpu, memory, ephemeralStorage, scalars }: ResourceAmounts,
  { allocatable, requested, pods, allowedPods }: NodeInfo,
): boolean {
  return (
    pods.size < allowedPods &&
    (milliCpu <= 0 || milliCpu <= allocatable.milliCpu - requested.milliCpu) &&
    (memory <= 0 || memory <= allocatable.memory - requested.memory) &&
    (ephemeralStorage <= 0 ||
      ephemeralStorage <= allocatable.ephemeralStorage - requested.ephemeralStorage) &&
    scalars.size === 0
  );
}

/** A pod that goes gives back at least a place; one that shrinks must give back something that is wanted. */
function podHint(pod: PodInfo, { previous, next }: ClusterEvent): QueueingHint {
  if (!next || !previous) return 'Queue';
  const before = podInfo(previous as Live<Pod>).requests;
  const after = podInfo(next as Live<Pod>).requests;
  return someAmount(pod.requests, (resource) => amountOf(after, resource) < amountOf(before, resource))
    ? 'Queue'
    : 'QueueSkip';
}

/** A node matters when it could hold the pod if it were empty, and got more of something that is wanted. */
function nodeHint(pod: PodInfo, { previous, next }: ClusterEvent, isChecked: IsChecked): QueueingHint {
  const after = new NodeInfo(next as Live<Node>);
  if (shortage(pod, after, isChecked)) return 'QueueSkip';
  if (!previous) return 'Queue';
  const before = new NodeInfo(previous as Live<Node>);
  const grew =
    after.allowedPods > before.allowedPods ||
    someAmount(
      pod.requests,
      (resource) => amountOf(after.allocatable, resource) > amountOf(before.allocatable, resource),
    );
  return grew ? 'Queue' : 'QueueSkip';
}

function someAmount(amounts: ResourceAmounts, test: (resource: string) => boolean): boolean {
  const resources = ['cpu', 'memory', 'ephemeral-storage', ...amounts.scalars.keys()];
  return resources.some((resource) => amountOf(amounts, resource) > 0 && test(resource));
}
