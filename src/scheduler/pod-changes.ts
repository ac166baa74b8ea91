import type { Pod } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import { deepEqual } from '../reconcile/deep-equal.ts';
import type { ClusterEvent, EventAction } from './cluster-event.ts';
import { podInfo } from './pod-info.ts';
import { amountOf, type ResourceAmounts } from './resource-amounts.ts';

/** What changed of a pod that scheduling may care for, of those that have a node and of those that wait for one. */
export function podChanges(
  resource: 'AssignedPod' | 'TargetPod',
  next: Live<Pod>,
  previous: Live<Pod>,
): readonly ClusterEvent[] {
  const actions: EventAction[] = [];
  if (!deepEqual(next.metadata.labels, previous.metadata.labels)) actions.push('UpdatePodLabel');
  if (asksForLess(next, previous)) actions.push('UpdatePodScaleDown');
  if (resource === 'TargetPod') {
    if (!deepEqual(next.spec.tolerations, previous.spec.tolerations)) actions.push('UpdatePodToleration');
    if (gates(next) === 0 && gates(previous) > 0) actions.push('UpdatePodSchedulingGatesEliminated');
    if (!deepEqual(next.status?.resourceClaimStatuses, previous.status?.resourceClaimStatuses))
      actions.push('UpdatePodGeneratedResourceClaim');
    if (actions.length === 0 && !deepEqual(next.spec, previous.spec)) actions.push('UpdatePodOther');
  }
  return actions.map((action) => ({ resource, action, previous, next }));
}

function gates({ spec }: Pod): number {
  return spec.schedulingGates?.length ?? 0;
}

function asksForLess(next: Live<Pod>, previous: Live<Pod>): boolean {
  if (next.metadata.generation === previous.metadata.generation && next.status === previous.status)
    return false;
  if (
    deepEqual(next.spec.containers, previous.spec.containers) &&
    deepEqual(next.spec.resources, previous.spec.resources) &&
    !next.status?.containerStatuses?.some(({ allocatedResources }) => allocatedResources)
  )
    return false;
  const [now, before] = [podInfo(next).requests, podInfo(previous).requests];
  return resourcesOf(before).some((name) => amountOf(now, name) < amountOf(before, name));
}

function resourcesOf({ scalars }: ResourceAmounts): string[] {
  return ['cpu', 'memory', 'ephemeral-storage', ...scalars.keys()];
}
