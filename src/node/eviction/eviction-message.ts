import type { Pod } from '../../api/core/v1.gen.ts';
import { amount } from '../admission/insufficient-resource.ts';
import { quantityOf, resourceOf, type EvictionThreshold } from './eviction-threshold.ts';
import type { Observation } from './plan-eviction.ts';

/** Why a pod is evicted, in the kubelet's words. */
export function evictionMessage(
  threshold: EvictionThreshold,
  seen: Observation,
  pod: Pod,
  usedBy: (container: string) => number | undefined,
): string {
  const resource = resourceOf(threshold.signal);
  const text = (value: number): string => sizeText(resource, value);
  let message = `The node was low on resource: ${resource}. Threshold quantity: ${text(quantityOf(threshold.at, seen.capacity))}, available: ${text(seen.available)}. `;
  if (resource !== 'memory' && resource !== 'ephemeral-storage') return message;
  for (const { name, resources } of pod.spec.containers) {
    const used = usedBy(name);
    const request = resources?.requests?.[resource] ?? '0';
    if (used === undefined || used <= amount(resource, request)) continue;
    message += `Container ${name} was using ${text(used)}, request is ${request}, has larger consumption of ${resource}. `;
  }
  return message;
}

/** Bytes in the largest binary unit that they are whole in, as quantities are written; other things as they are. */
function sizeText(resource: string, value: number): string {
  if (resource === 'pids' || resource === 'inodes') return String(value);
  let [left, unit] = [Math.max(0, Math.floor(value)), 0];
  while (left > 0 && left % 1024 === 0 && unit < 6) [left, unit] = [left / 1024, unit + 1];
  return `${left}${['', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'][unit]}`;
}
