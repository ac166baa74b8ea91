import type { ReplicaSetCondition, ReplicaSetStatus } from '../../api/apps/v1.gen.ts';
import type { Pod, PodTemplateSpec } from '../../api/core/v1.gen.ts';
import { timestamp } from '../../base/clock.ts';
import type { KubeObject, Live } from '../../machinery/object.ts';
import { conditionOf, withCondition, withoutCondition } from '../../reconcile/conditions.ts';
import { omitZero } from '../../reconcile/omit-zero.ts';
import { inDeletionOrder } from '../pods/deletion-order.ts';
import { isPodActive, isPodTerminating, msUntilAvailable } from '../pods/pod-state.ts';

/** No more pods than this are created or deleted in one go. */
const burst = 500;

/** What keeps a number of pods of one template: a replica set or a replication controller. */
export interface Replicated extends KubeObject {
  readonly spec: {
    readonly replicas?: number;
    readonly minReadySeconds?: number;
    readonly template?: PodTemplateSpec;
  };
  readonly status?: { readonly conditions?: readonly ReplicaSetCondition[] };
}

export interface ReplicaObservation<T extends Replicated = Replicated> {
  readonly owner: Live<T>;
  /** Every pod it owns, in whatever state. */
  readonly pods: readonly Live<Pod>[];
  /** Pods of all of its kind under the same owner, for spreading deletions over nodes. */
  readonly peers: readonly Pod[];
  readonly now: number;
}

/** What to do about the number of pods. */
export interface ReplicaPlan {
  readonly create: number;
  readonly remove: readonly Live<Pod>[];
}

/** How many pods to create, or which to delete. */
export function planReplicas(observation: ReplicaObservation): ReplicaPlan {
  const { owner, pods, now } = observation;
  if (owner.metadata.deletionTimestamp !== undefined) return { create: 0, remove: [] };
  const active = pods.filter(isPodActive);
  const missing = (owner.spec.replicas ?? 1) - active.length;
  if (missing >= 0) return { create: Math.min(missing, burst), remove: [] };
  const surplus = Math.min(-missing, burst);
  return {
    create: 0,
    remove: inDeletionOrder(active, observation.peers.filter(isPodActive), now).slice(0, surplus),
  };
}

/** Why the last round could not create or delete pods. */
export interface ReplicaFailure {
  readonly reason: 'FailedCreate' | 'FailedDelete';
  readonly message: string;
}

/** The status that the observation and the outcome of acting on it call for. */
export function planStatus(
  { owner, pods, now }: ReplicaObservation,
  failure: ReplicaFailure | undefined,
): ReplicaSetStatus {
  const { spec, status, metadata } = owner;
  const { minReadySeconds = 0 } = spec;
  const templateLabels = Object.entries(spec.template?.metadata?.labels ?? {});
  const counts = { active: 0, terminating: 0, fullyLabeled: 0, ready: 0, available: 0 };
  for (const pod of pods) {
    if (isPodTerminating(pod)) counts.terminating += 1;
    if (!isPodActive(pod)) continue;
    counts.active += 1;
    if (templateLabels.every(([key, value]) => pod.metadata.labels?.[key] === value))
      counts.fullyLabeled += 1;
    const waitMs = msUntilAvailable(pod, minReadySeconds, now);
    if (waitMs === undefined) continue;
    counts.ready += 1;
    if (waitMs === 0) counts.available += 1;
  }
  const conditions = planConditions(status?.conditions ?? [], failure, now);
  return {
    replicas: counts.active,
    terminatingReplicas: counts.terminating,
    ...omitZero({
      fullyLabeledReplicas: counts.fullyLabeled,
      readyReplicas: counts.ready,
      availableReplicas: counts.available,
      observedGeneration: metadata.generation,
      conditions,
    }),
  };
}

function planConditions(
  conditions: readonly ReplicaSetCondition[],
  failure: ReplicaFailure | undefined,
  now: number,
): readonly ReplicaSetCondition[] {
  if (!failure) return withoutCondition(conditions, 'ReplicaFailure');
  if (conditionOf(conditions, 'ReplicaFailure')) return conditions;
  return withCondition(conditions, {
    type: 'ReplicaFailure',
    status: 'True',
    lastTransitionTime: timestamp(now),
    ...failure,
  });
}

/** Milliseconds until the next ready pod has been so for `minReadySeconds`; undefined when none is waiting for that. */
export function nextAvailability({ owner, pods, now }: ReplicaObservation): number | undefined {
  const { minReadySeconds = 0 } = owner.spec;
  if (minReadySeconds === 0) return undefined;
  let soonest: number | undefined;
  for (const pod of pods) {
    const ms = isPodActive(pod) ? msUntilAvailable(pod, minReadySeconds, now) : undefined;
    if (ms !== undefined && ms > 0 && (soonest === undefined || ms < soonest)) soonest = ms;
  }
  return soonest;
}
