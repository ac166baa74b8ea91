import type { Pod } from '../../api/core/v1.gen.ts';
import { scaledValue } from '../../machinery/int-or-string.ts';
import type { Live } from '../../machinery/object.ts';
import {
  isAvailable,
  isOrdered,
  isUpdated,
  type Member,
  type StatefulSetObservation,
} from './observation.ts';

/**
 * Which pods to replace now: those of other revisions from the partition up, highest number first. Without
 * `maxUnavailable` one at a time, and the next when the one above is available; with it, as many as may be unavailable
 * (KEP-961), where `Parallel` does not count what is out of date and unavailable anyway.
 */
export function outdatedPods(
  observation: StatefulSetObservation,
  wanted: readonly Member[],
): readonly Live<Pod>[] {
  const { set } = observation;
  const { partition = 0, maxUnavailable } = set.spec.updateStrategy?.rollingUpdate ?? {};
  const candidates = wanted.slice(partition).toReversed();
  if (maxUnavailable === undefined) return oneByOne(observation, candidates);
  const limit = Math.max(1, scaledValue(maxUnavailable, wanted.length, 'down'));
  const unavailable = wanted.filter(({ pod }) => !pod || !isAvailable(observation, pod)).length;
  const outdated = candidates.flatMap(({ pod }) => (pod && isOutdated(observation, pod) ? [pod] : []));
  const room = Math.max(0, limit - unavailable);
  if (isOrdered(set)) return outdated.slice(0, room);
  const broken = outdated.filter((pod) => !isAvailable(observation, pod));
  const working = outdated.filter((pod) => isAvailable(observation, pod));
  return [...broken, ...working.slice(0, room)];
}

function oneByOne(observation: StatefulSetObservation, candidates: readonly Member[]): readonly Live<Pod>[] {
  for (const { pod } of candidates) {
    if (pod && isOutdated(observation, pod)) return [pod];
    if (!pod || !isAvailable(observation, pod)) return [];
  }
  return [];
}

/** Of another revision and not on its way out. */
function isOutdated(observation: StatefulSetObservation, pod: Pod): boolean {
  return !isUpdated(observation, pod) && pod.metadata.deletionTimestamp === undefined;
}
