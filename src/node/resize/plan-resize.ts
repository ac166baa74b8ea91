import { podQos } from '../../api/core/pod-spec/pod-qos.ts';
import { compareQuantities } from '../../api/core/pod-spec/quantities.ts';
import type { Container, Pod, ResourceRequirements } from '../../api/core/v1.gen.ts';
import {
  amount,
  insufficiency,
  insufficiencyMessage,
  requestsOf,
  type NodeRoom,
} from '../admission/insufficient-resource.ts';
import { isStaticPod } from '../admission/static-pod.ts';
import { allocationOf, sameAllocation, sameQuantity, type Allocation } from './allocation.ts';

/** Why a resize cannot be granted (now), as the condition `PodResizePending` says it. */
export interface PendingResize {
  readonly reason: 'Deferred' | 'Infeasible';
  readonly message: string;
}

/** Decides whether a pod gets what its spec asks for now (KEP-1287); `none`: it has that already. */
export function planAllocation(
  pod: Pod,
  granted: Allocation,
  room: NodeRoom,
): 'none' | 'grant' | PendingResize {
  if (sameAllocation(allocationOf(pod), granted)) return 'none';
  if (isStaticPod(pod))
    return { reason: 'Infeasible', message: 'In-place resize of static-pods is not supported' };
  const requests = requestsOf(pod);
  for (const resource of ['memory', 'cpu']) {
    const requested = amount(resource, requests[resource]);
    const { [resource]: there } = room.allocatable;
    const capacity = amount(resource, there);
    if (there === undefined || requested <= capacity) continue;
    const message = `Node didn't have enough capacity: ${resource}, requested: ${requested}, capacity: ${capacity}`;
    return { reason: 'Infeasible', message };
  }
  const missing = insufficiency(pod, room);
  return missing ? { reason: 'Deferred', message: insufficiencyMessage(missing) } : 'grant';
}

/** What a running container needs so that it has what it was granted. */
export function planActuation(
  container: Container,
  actual: ResourceRequirements | undefined,
): 'none' | 'update' | 'restart' {
  if (actual === undefined) return 'none';
  const changed = ['cpu', 'memory'].filter(
    (resource) =>
      !sameQuantity(container.resources?.requests?.[resource], actual.requests?.[resource]) ||
      !sameQuantity(container.resources?.limits?.[resource], actual.limits?.[resource]),
  );
  if (changed.length === 0) return 'none';
  const restarts = changed.some((resource) =>
    container.resizePolicy?.some(
      (policy) => policy.resourceName === resource && policy.restartPolicy === 'RestartContainer',
    ),
  );
  return restarts ? 'restart' : 'update';
}

/** A resize that waits for room, and what decides on its turn. */
export interface WaitingResize {
  /** As its spec asks. */
  readonly pod: Pod;
  /** As it was granted. */
  readonly granted: Pod;
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** Whose turn is first: who asks for no more than it has, then priority, Guaranteed before others, who waits longest. */
export function compareWaitingResizes(a: WaitingResize, b: WaitingResize): number {
  return (
    Number(asksForMore(a)) - Number(asksForMore(b)) ||
    (b.pod.spec.priority ?? 0) - (a.pod.spec.priority ?? 0) ||
    Number(podQos(b.pod.spec) === 'Guaranteed') - Number(podQos(a.pod.spec) === 'Guaranteed') ||
    a.since - b.since
  );
}

function asksForMore({ pod, granted }: WaitingResize): boolean {
  const [wanted, had] = [requestsOf(pod), requestsOf(granted)];
  return ['cpu', 'memory'].some(
    (resource) => compareQuantities(wanted[resource] ?? '0', had[resource] ?? '0') > 0,
  );
}
