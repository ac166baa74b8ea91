import type { Rejection } from './framework.ts';

/** Upstream's sentence about a pod that fits nowhere: counts by reason, then what preemption found. */
export function fitErrorMessage(nodes: number, rejections: readonly Rejection[]): string {
  if (nodes === 0) return 'no nodes available to schedule pods';
  const reasons = histogram(rejections.flatMap((rejection) => rejection.reasons));
  const preemption = histogram(
    rejections.map(({ final }) =>
      final ? 'Preemption is not helpful for scheduling' : 'No preemption victims found for incoming pod',
    ),
  );
  const available = `0/${nodes} nodes are available:`;
  return `${available} ${reasons}. no new claims to deallocate, preemption: ${available} ${preemption}.`;
}

function histogram(reasons: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return [...counts]
    .map(([reason, count]) => `${count} ${reason}`)
    .sort()
    .join(', ');
}
