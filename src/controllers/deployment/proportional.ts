import type { Deployment, ReplicaSet } from '../../api/apps/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { desiredReplicasAnnotation, maxReplicasAnnotation } from './revision.ts';
import { availableReplicas, byAge, maxSurgeOf, specReplicas, type Scaling } from './rolling.ts';

/** Whether the deployment's size changed since its replica sets were last scaled. */
export function isResized(deployment: Deployment, replicaSets: readonly ReplicaSet[]): boolean {
  return replicaSets.filter(isSized).some((replicaSet) => {
    const remembered = replicaSet.metadata.annotations?.[desiredReplicasAnnotation];
    return remembered !== undefined && Number(remembered) !== (deployment.spec.replicas ?? 1);
  });
}

/**
 * Sizes after a change of `spec.replicas`, when no rollout step is taken: the only active replica set gets all; a
 * rollout that is complete drops the older ones; in the middle of one, the change is shared in proportion to sizes.
 */
export function resize(
  deployment: Deployment,
  newest: Live<ReplicaSet> | undefined,
  older: readonly Live<ReplicaSet>[],
): readonly Scaling[] {
  const replicas = deployment.spec.replicas ?? 1;
  const active = [...older, ...(newest ? [newest] : [])].filter(isSized);
  const [only] = active.length === 0 ? [newest ?? byAge(older).at(-1)] : active;
  if (active.length <= 1) return only ? [{ replicaSet: only, replicas }] : [];
  if (newest && isSaturated(deployment, newest)) {
    return older.filter(isSized).map((replicaSet) => ({ replicaSet, replicas: 0 }));
  }
  if (deployment.spec.strategy?.type === 'Recreate') return [];
  return share(deployment, active);
}

function share(deployment: Deployment, active: readonly Live<ReplicaSet>[]): Scaling[] {
  const replicas = deployment.spec.replicas ?? 1;
  const allowed = replicas > 0 ? replicas + maxSurgeOf(deployment) : 0;
  const change = allowed - specReplicas(active);
  const ordered = bySize(active, change > 0 ? 'newer first' : 'older first');
  let given = 0;
  const scalings = ordered.map((replicaSet) => {
    const part = portion(deployment, replicaSet, { change, given });
    given += part;
    return { replicaSet, replicas: (replicaSet.spec.replicas ?? 1) + part };
  });
  return scalings.map((scaling, index) =>
    index === 0 ? { ...scaling, replicas: Math.max(0, scaling.replicas + change - given) } : scaling,
  );
}

/** A replica set's part of the change, within what is left of it. */
function portion(
  deployment: Deployment,
  replicaSet: ReplicaSet,
  { change, given }: { readonly change: number; readonly given: number },
): number {
  if (change === 0 || change === given) return 0;
  const part = fraction(deployment, replicaSet);
  return change > 0 ? Math.min(part, change - given) : Math.max(part, change - given);
}

function fraction(deployment: Deployment, replicaSet: ReplicaSet): number {
  const size = replicaSet.spec.replicas ?? 1;
  const replicas = deployment.spec.replicas ?? 1;
  if (replicas === 0) return -size;
  const before =
    Number(replicaSet.metadata.annotations?.[maxReplicasAnnotation]) || replicaSet.status?.replicas || 0;
  if (before === 0) return 0;
  return Math.round((size * (replicas + maxSurgeOf(deployment))) / before) - size;
}

function bySize(
  replicaSets: readonly Live<ReplicaSet>[],
  order: 'newer first' | 'older first',
): Live<ReplicaSet>[] {
  const aged = order === 'older first' ? byAge(replicaSets) : byAge(replicaSets).reverse();
  return aged.sort((a, b) => (b.spec.replicas ?? 1) - (a.spec.replicas ?? 1));
}

function isSaturated(deployment: Deployment, replicaSet: ReplicaSet): boolean {
  const replicas = deployment.spec.replicas ?? 1;
  return (
    replicaSet.spec.replicas === replicas &&
    Number(replicaSet.metadata.annotations?.[desiredReplicasAnnotation]) === replicas &&
    availableReplicas([replicaSet]) === replicas
  );
}

function isSized(replicaSet: ReplicaSet): boolean {
  return (replicaSet.spec.replicas ?? 1) > 0;
}
