import type { Diagnosis } from './framework.ts';

/** Upstream's sentence about a pod that fits nowhere: what PreFilter or the filters said, then what PostFilter did. */
export function fitErrorMessage(
  { nodes, rejections, others, preFilterMessage }: Diagnosis,
  postFilterMessage: string,
): string {
  const told =
    preFilterMessage === undefined
      ? fitMessage(nodes.length, [
          ...rejections.flatMap(({ status }) => status.reasons),
          ...nodes.slice(rejections.length).flatMap(() => others.reasons),
        ])
      : `0/${nodes.length} nodes are available: ${preFilterMessage}.`;
  return postFilterMessage === '' ? told : `${told} ${postFilterMessage}`;
}

/** Upstream's summary over all nodes: each reason with how often it was given, sorted as text. */
export function fitMessage(nodes: number, reasons: Iterable<string>): string {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const told = [...counts].map(([reason, count]) => `${count} ${reason}`).sort();
  const available = `0/${nodes} nodes are available:`;
  return told.length > 0 ? `${available} ${told.join(', ')}.` : available;
}
