import { scaledValue } from '../../machinery/int-or-string.ts';
import type { Live } from '../../machinery/object.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import {
  isAvailable,
  isUpdated,
  maxSurgeOf,
  type DaemonSetObservation,
  type DaemonSetPlan,
  type NodePods,
} from './plan.ts';

/** A node during an update: at most one pod of either revision that stays. */
interface Candidate {
  readonly updated: Live<Pod> | undefined;
  readonly outdated: Live<Pod> | undefined;
}

/** The next pods to replace under `RollingUpdate`; under `OnDelete` none. */
export function planRolling(observation: DaemonSetObservation, places: readonly NodePods[]): DaemonSetPlan {
  const { set } = observation;
  if (set.spec.updateStrategy?.type === 'OnDelete') return { create: [], remove: [] };
  const desired = places.filter(({ placement }) => placement === 'run').length;
  const involved = places.filter(({ placement, pods }) => placement === 'run' || pods.length > 0);
  const surge = maxSurgeOf(set, desired);
  return surge === 0
    ? planReplacing(observation, involved, maxUnavailableOf(observation, desired))
    : planSurging(observation, involved, { surge, desired });
}

/**
 * Deletes old pods as far as `maxUnavailable` allows; new ones come by themselves. Old pods that are unavailable anyway
 * are deleted whatever it says.
 */
function planReplacing(
  observation: DaemonSetObservation,
  places: readonly NodePods[],
  maxUnavailable: number,
): DaemonSetPlan {
  let unavailable = 0;
  const broken: Live<Pod>[] = [];
  const working: Live<Pod>[] = [];
  for (const place of places) {
    const { updated, outdated } = candidate(observation, place) ?? {};
    if (outdated && !updated && isAvailable(observation, outdated)) {
      working.push(outdated);
    } else {
      if (!updated || outdated || !isAvailable(observation, updated)) unavailable++;
      if (outdated && !updated) broken.push(outdated);
    }
  }
  const room = Math.max(0, maxUnavailable - unavailable);
  return { create: [], remove: [...broken, ...working.slice(0, room)].map((pod) => ({ pod })) };
}

/**
 * Creates new pods beside old ones as far as `maxSurge` allows, beside unavailable ones whatever it says; an old pod goes
 * when its new one is available. Old pods on nodes that should have none go when enough others are available.
 */
function planSurging(
  observation: DaemonSetObservation,
  places: readonly NodePods[],
  { surge, desired }: { readonly surge: number; readonly desired: number },
): DaemonSetPlan {
  const create: string[] = [];
  const waiting: string[] = [];
  const remove: Live<Pod>[] = [];
  const displaced: Live<Pod>[] = [];
  let surging = 0;
  let available = 0;
  for (const place of places) {
    const found = candidate(observation, place);
    if (!found) {
      surging++;
      continue;
    }
    const { updated, outdated } = found;
    const first = outdated ?? updated;
    if (first && isAvailable(observation, first)) available++;
    if (!outdated) continue;
    if (updated) {
      if (isAvailable(observation, updated)) remove.push(outdated);
      else surging++;
    } else if (place.placement === 'run') {
      if (isAvailable(observation, outdated)) waiting.push(place.name);
      else create.push(place.name);
    } else if (isAvailable(observation, outdated)) displaced.push(outdated);
    else remove.push(outdated);
  }
  remove.push(...displaced.slice(0, Math.max(0, available - desired)));
  create.push(...waiting.slice(0, Math.max(0, surge - surging)));
  return { create, remove: remove.map((pod) => ({ pod })) };
}

/** Undefined when there are too many pods on the node, which are taken away first. */
function candidate(observation: DaemonSetObservation, { pods }: NodePods): Candidate | undefined {
  let updated: Live<Pod> | undefined;
  let outdated: Live<Pod> | undefined;
  for (const pod of pods) {
    if (pod.metadata.deletionTimestamp !== undefined) continue;
    if (isUpdated(observation, pod)) {
      if (updated) return undefined;
      updated = pod;
    } else {
      if (outdated) return undefined;
      outdated = pod;
    }
  }
  return { updated, outdated };
}

function maxUnavailableOf({ set }: DaemonSetObservation, desired: number): number {
  const allowed = set.spec.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1;
  return Math.max(desired > 0 ? 1 : 0, scaledValue(allowed, desired, 'up'));
}
