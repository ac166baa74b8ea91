import { compareQuantities } from '../../api/core/pod-spec/quantities.ts';
import type { Container, Pod, ResourceRequirements } from '../../api/core/v1.gen.ts';
import { containersOf, sidecarsOf } from '../pod-containers.ts';

/** What a node has granted a pod: of the pod as a whole, and by container name (sidecars too). */
export interface Allocation {
  readonly pod?: ResourceRequirements;
  readonly containers: Readonly<Record<string, ResourceRequirements>>;
}

/** What the pod's spec asks for. */
export function allocationOf(pod: Pod): Allocation {
  const resizable = [...sidecarsOf(pod), ...containersOf(pod)];
  return {
    ...(pod.spec.resources && { pod: pod.spec.resources }),
    containers: Object.fromEntries(resizable.map(({ name, resources }) => [name, resources ?? {}])),
  };
}

/** The pod as if its spec asked for what was granted; the same object when it does. */
export function withAllocation<T extends Pod>(pod: T, allocation: Allocation): T {
  if (sameAllocation(allocationOf(pod), allocation)) return pod;
  const granted = (container: Container): Container => {
    const { [container.name]: resources } = allocation.containers;
    return resources ? { ...container, resources } : container;
  };
  const { resources: _, ...spec } = pod.spec;
  return {
    ...pod,
    spec: {
      ...spec,
      ...(allocation.pod && { resources: allocation.pod }),
      containers: spec.containers.map(granted),
      ...(spec.initContainers && { initContainers: spec.initContainers.map(granted) }),
    },
  };
}

/** Whether both grant the same amounts, however they are written. */
export function sameAllocation(a: Allocation, b: Allocation): boolean {
  const names = new Set([...Object.keys(a.containers), ...Object.keys(b.containers)]);
  return (
    sameResources(a.pod, b.pod) &&
    [...names].every((name) => sameResources(a.containers[name], b.containers[name]))
  );
}

export function sameResources(
  a: ResourceRequirements | undefined,
  b: ResourceRequirements | undefined,
): boolean {
  return sameList(a?.requests, b?.requests) && sameList(a?.limits, b?.limits);
}

function sameList(
  a: Readonly<Record<string, string>> = {},
  b: Readonly<Record<string, string>> = {},
): boolean {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((name) => sameQuantity(a[name], b[name]));
}

/** Whether two amounts are equal; both may be absent. */
export function sameQuantity(a: string | undefined, b: string | undefined): boolean {
  return a === undefined || b === undefined ? a === b : compareQuantities(a, b) === 0;
}
