import type { Pod } from '../../api/core/v1.gen.ts';
import { amount, requestsOf } from '../admission/insufficient-resource.ts';
import { isCriticalPod } from '../admission/refusal-of.ts';

/** A pod that may be evicted, and how much it uses of what is short. */
export interface EvictionCandidate {
  readonly pod: Pod;
  readonly used: number;
}

type Resource = 'memory' | 'pids' | 'inodes' | 'ephemeral-storage';

/**
 * Those that may go, the first first: who uses more than it asked for, then the least important, then who uses most
 * beyond its requests. Critical pods stay.
 */
export function rankPods(
  candidates: readonly EvictionCandidate[],
  resource: Resource,
): readonly EvictionCandidate[] {
  const requested = ({ pod }: EvictionCandidate): number =>
    resource === 'memory' || resource === 'ephemeral-storage'
      ? amount(resource, requestsOf(pod)[resource])
      : 0;
  const beyond = (one: EvictionCandidate): number => one.used - requested(one);
  const exceeds = (one: EvictionCandidate): number => (resource === 'pids' ? 0 : Number(beyond(one) > 0));
  return candidates
    .filter(({ pod }) => !isCriticalPod(pod))
    .toSorted(
      (a, b) =>
        exceeds(b) - exceeds(a) ||
        (a.pod.spec.priority ?? 0) - (b.pod.spec.priority ?? 0) ||
        beyond(b) - beyond(a),
    );
}
