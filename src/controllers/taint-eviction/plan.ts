import { tolerationCovers } from '../../api/core/toleration.ts';
import type { Pod, Taint } from '../../api/core/v1.gen.ts';
import { conditionOf } from '../../reconcile/conditions.ts';

/**
 * For how many milliseconds a pod tolerates the `NoExecute` taints of its node: 0 not at all, Infinity for ever. As
 * upstream, of several tolerations that cover one taint the first counts.
 */
export function toleratedMs({ spec }: Pod, taints: readonly Taint[]): number {
  const times = taints
    .filter(({ effect }) => effect === 'NoExecute')
    .map((taint) => {
      const toleration = spec.tolerations?.find((candidate) => tolerationCovers(candidate, taint));
      if (!toleration) return 0;
      return toleration.tolerationSeconds === undefined
        ? Number.POSITIVE_INFINITY
        : Math.max(0, toleration.tolerationSeconds * 1000);
    });
  return Math.min(Number.POSITIVE_INFINITY, ...times);
}

/**
 * From when the time runs: since the taints and the pod have met, in milliseconds since the epoch; `noticed` when the
 * objects do not tell. Thus a controller that starts anew does not start the time anew.
 */
export function metSince({ status }: Pod, taints: readonly Taint[], noticed: number): number {
  const scheduled = conditionOf(status?.conditions, 'PodScheduled')?.lastTransitionTime;
  const added = taints.flatMap(({ effect, timeAdded }) => (effect === 'NoExecute' ? [timeAdded] : []));
  const times = [scheduled, ...added].map((time) => (time === undefined ? noticed : Date.parse(time)));
  return Math.min(noticed, Math.max(...times));
}
