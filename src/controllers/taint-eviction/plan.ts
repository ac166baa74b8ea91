import type { Pod, Taint, Toleration } from '../../api/core/v1.gen.ts';

/**
 * Milliseconds until a pod has to leave a node because of its `NoExecute` taints: 0 at once, undefined when it may stay.
 * A taint tolerated for a time counts from when it was added.
 */
export function msUntilEviction(pod: Pod, taints: readonly Taint[], now: number): number | undefined {
  const waits = taints
    .filter(({ effect }) => effect === 'NoExecute')
    .map((taint) => toleratedMs(pod, taint, now));
  const least = Math.min(...waits);
  return Number.isFinite(least) ? Math.max(0, least) : undefined;
}

function toleratedMs({ spec }: Pod, taint: Taint, now: number): number {
  const matching = (spec.tolerations ?? []).filter((toleration) => covers(toleration, taint));
  if (matching.length === 0) return 0;
  const seconds = matching.flatMap(({ tolerationSeconds }) => tolerationSeconds ?? []);
  if (seconds.length === 0) return Number.POSITIVE_INFINITY;
  const added = taint.timeAdded === undefined ? now : Date.parse(taint.timeAdded);
  return added + Math.min(...seconds) * 1000 - now;
}

function covers({ key, effect, operator, value }: Toleration, taint: Taint): boolean {
  if (effect && effect !== taint.effect) return false;
  if (key && key !== taint.key) return false;
  return operator === 'Exists' || (value ?? '') === (taint.value ?? '');
}
