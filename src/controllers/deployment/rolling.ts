import type { Deployment, ReplicaSet } from '../../api/apps/v1.gen.ts';
import { scaledValue } from '../../machinery/int-or-string.ts';
import type { Live } from '../../machinery/object.ts';

/** A replica set and the size it should get. */
export interface Scaling {
  readonly replicaSet: Live<ReplicaSet>;
  readonly replicas: number;
}

/** How many pods may exist beyond the wanted number. 0 unless the strategy is `RollingUpdate`. */
export function maxSurgeOf(deployment: Deployment): number {
  return fenceposts(deployment).surge;
}

/** How many of the wanted pods may be unavailable. 0 unless the strategy is `RollingUpdate`. */
export function maxUnavailableOf(deployment: Deployment): number {
  const replicas = deployment.spec.replicas ?? 1;
  return replicas === 0 ? 0 : Math.min(fenceposts(deployment).unavailable, replicas);
}

/** Percentages become counts; both must not be 0, or nothing could ever move. */
function fenceposts({ spec }: Deployment): { readonly surge: number; readonly unavailable: number } {
  if (spec.strategy?.type === 'Recreate') return { surge: 0, unavailable: 0 };
  const replicas = spec.replicas ?? 1;
  const { maxSurge = '25%', maxUnavailable = '25%' } = spec.strategy?.rollingUpdate ?? {};
  const surge = scaledValue(maxSurge, replicas, 'up');
  const unavailable = scaledValue(maxUnavailable, replicas, 'down');
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}

export function specReplicas(replicaSets: readonly (ReplicaSet | undefined)[]): number {
  return replicaSets.reduce((sum, replicaSet) => sum + (replicaSet ? (replicaSet.spec.replicas ?? 1) : 0), 0);
}

export function availableReplicas(replicaSets: readonly (ReplicaSet | undefined)[]): number {
  return replicaSets.reduce((sum, replicaSet) => sum + (replicaSet?.status?.availableReplicas ?? 0), 0);
}

/** The size that the replica set of the current template may have now. */
export function newestSize(
  deployment: Deployment,
  newest: ReplicaSet | undefined,
  others: readonly ReplicaSet[],
): number {
  const replicas = deployment.spec.replicas ?? 1;
  const size = newest ? (newest.spec.replicas ?? 1) : 0;
  if (deployment.spec.strategy?.type === 'Recreate' || size > replicas) return replicas;
  const room = replicas + maxSurgeOf(deployment) - specReplicas([...others, newest]);
  return room <= 0 ? size : size + Math.min(room, replicas - size);
}

/**
 * Which of the older replica sets to shrink: first pods that are not available (nothing is lost with them), then
 * available ones as far as the minimum availability allows. Oldest first.
 */
export function shrinkOlder(
  deployment: Deployment,
  newest: Live<ReplicaSet> | undefined,
  older: readonly Live<ReplicaSet>[],
): Scaling[] {
  const minimum = (deployment.spec.replicas ?? 1) - maxUnavailableOf(deployment);
  const all = [...older, newest];
  const newestUnavailable = specReplicas([newest]) - availableReplicas([newest]);
  const spare = specReplicas(all) - minimum - newestUnavailable;
  if (specReplicas(older) === 0 || spare <= 0) return [];

  const sizes = new Map(byAge(older).map((replicaSet) => [replicaSet, replicaSet.spec.replicas ?? 1]));
  let unhealthy = spare;
  for (const [replicaSet, size] of sizes) {
    const cut = Math.min(unhealthy, Math.max(0, size - availableReplicas([replicaSet])));
    sizes.set(replicaSet, size - cut);
    unhealthy -= cut;
  }
  let available = availableReplicas(all) - minimum;
  for (const [replicaSet, size] of sizes) {
    const cut = Math.min(Math.max(0, available), size);
    sizes.set(replicaSet, size - cut);
    available -= cut;
  }
  return changed([...sizes].map(([replicaSet, replicas]) => ({ replicaSet, replicas })));
}

/** Only scalings that change a size. */
export function changed(scalings: readonly Scaling[]): Scaling[] {
  return scalings.filter(({ replicaSet, replicas }) => (replicaSet.spec.replicas ?? 1) !== replicas);
}

/** Oldest first; of one second, by name. */
export function byAge(replicaSets: readonly Live<ReplicaSet>[]): Live<ReplicaSet>[] {
  return replicaSets.toSorted((a, b) => {
    const [left, right] = [a.metadata, b.metadata];
    if (left.creationTimestamp !== right.creationTimestamp) {
      return left.creationTimestamp < right.creationTimestamp ? -1 : 1;
    }
    return left.name < right.name ? -1 : 1;
  });
}
