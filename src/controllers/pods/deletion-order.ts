import type { Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { readySince } from './pod-state.ts';

const phaseRank: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/**
 * Orders pods so that those whose deletion hurts least come first (upstream's ActivePodsWithRanks): not assigned to a
 * node, not running, not ready, lower deletion cost, more `peers` on the same node, ready for a shorter time, more
 * restarts, younger.
 */
export function inDeletionOrder(pods: readonly Live<Pod>[], peers: readonly Pod[], now: number): Live<Pod>[] {
  const perNode = new Map<string, number>();
  for (const { spec } of peers) {
    if (spec.nodeName !== undefined) perNode.set(spec.nodeName, (perNode.get(spec.nodeName) ?? 0) + 1);
  }
  const keyed = pods.map((pod) => ({ pod, keys: sortKeys(pod, perNode, now) }));
  return keyed.sort((a, b) => compareKeys(a.keys, b.keys)).map(({ pod }) => pod);
}

/** Numbers whose first difference decides; smaller goes first. */
function sortKeys(pod: Live<Pod>, perNode: ReadonlyMap<string, number>, now: number): number[] {
  const { spec, status, metadata } = pod;
  const ready = readySince(pod);
  return [
    spec.nodeName ? 1 : 0,
    phaseRank[status?.phase ?? 'Pending'] ?? 0,
    ready === undefined ? 0 : 1,
    Number(metadata.annotations?.['controller.kubernetes.io/pod-deletion-cost'] ?? 0) || 0,
    -(perNode.get(spec.nodeName ?? '') ?? 0),
    ready === undefined ? 0 : ageBucket(now - ready),
    -Math.max(0, ...(status?.containerStatuses ?? []).map((container) => container.restartCount)),
    ageBucket(now - Date.parse(metadata.creationTimestamp)),
  ];
}

/** The logarithm of an age, so that pods of about the same age count as equal. */
function ageBucket(ms: number): number {
  return ms <= 0 ? 0 : Math.floor(Math.log2(ms * 1e6));
}

function compareKeys(a: readonly number[], b: readonly number[]): number {
  for (const [index, key] of a.entries()) {
    const difference = key - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
