import { podRequests, withOverhead } from '../../api/core/pod-spec/pod-totals.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import { parseQuantity, quantityMilliValue, quantityValue } from '../../machinery/quantity.ts';

/** A resource of which a node has too little for a pod, in the units of upstream's messages (cpu in thousandths). */
export interface Insufficiency {
  readonly resource: string;
  readonly requested: number;
  readonly used: number;
  readonly capacity: number;
}

/** What a node has to give, and the pods that it has given something to. */
export interface NodeRoom {
  readonly allocatable: Readonly<Record<string, string>>;
  readonly others: readonly Pod[];
}

/** The first resource that a pod asks for and that is not left; extended resources unknown to the node do not count. */
export function insufficiency(pod: Pod, { allocatable, others }: NodeRoom): Insufficiency | undefined {
  const capacityOf = (resource: string): number | undefined =>
    allocatable[resource] === undefined ? undefined : amount(resource, allocatable[resource]);
  const pods = capacityOf('pods');
  if (pods !== undefined && others.length + 1 > pods)
    return { resource: 'pods', requested: 1, used: others.length, capacity: pods };
  const requests = requestsOf(pod);
  for (const resource of inOrder(Object.keys(requests))) {
    const requested = amount(resource, requests[resource]);
    const capacity = capacityOf(resource);
    if (requested === 0 || capacity === undefined) continue;
    const used = others.reduce((sum, other) => sum + amount(resource, requestsOf(other)[resource]), 0);
    if (requested + used > capacity) return { resource, requested, used, capacity };
  }
  return undefined;
}

/** {@link Insufficiency} in upstream's words. */
export function insufficiencyMessage({ resource, requested, used, capacity }: Insufficiency): string {
  return `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`;
}

/** What a pod asks for, its overhead included. */
export function requestsOf(pod: Pod): Readonly<Record<string, string>> {
  return withOverhead(podRequests(pod.spec), pod.spec);
}

/** A quantity as the kubelet counts it: cpu in thousandths, everything else in whole units; 0 when absent. */
export function amount(resource: string, quantity: string | undefined): number {
  if (quantity === undefined) return 0;
  const parsed = parseQuantity(quantity);
  return Number(resource === 'cpu' ? quantityMilliValue(parsed) : quantityValue(parsed));
}

const FIRST = ['cpu', 'memory', 'ephemeral-storage'];

function inOrder(resources: readonly string[]): readonly string[] {
  const others = resources.filter((resource) => !FIRST.includes(resource)).sort();
  return [...FIRST.filter((resource) => resources.includes(resource)), ...others];
}
