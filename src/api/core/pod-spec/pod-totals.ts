import { maxLists, type ResourceList, sumLists } from './quantities.ts';
import { aggregateLimits, aggregateRequests, isPodLevelResource } from './pod-level-resources.ts';
import type { Container, Pod, PodSpec } from '../v1.gen.ts';

function podLevel(list: ResourceList | undefined): ResourceList {
  return Object.fromEntries(Object.entries(list ?? {}).filter(([name]) => isPodLevelResource(name)));
}

/** What a pod asks for: its containers' requests together, replaced by those of the pod as a whole. */
export function podRequests(spec: PodSpec): ResourceList {
  return { ...aggregateRequests(spec), ...podLevel(spec.resources?.requests) };
}

/** What a pod may use at most, as {@link podRequests}. */
export function podLimits(spec: PodSpec): ResourceList {
  return { ...aggregateLimits(spec), ...podLevel(spec.resources?.limits) };
}

/** The spec with requests at least as high as what its running containers were given. */
export function withActualRequests({ spec, status }: Pod): PodSpec {
  const given = new Map(
    [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].flatMap((one) =>
      one.resources?.requests ? [[one.name, one.resources.requests] as const] : [],
    ),
  );
  if (given.size === 0) return spec;
  const raised = (container: Container): Container => {
    const actual = given.get(container.name);
    if (!actual) return container;
    const requests = maxLists(container.resources?.requests ?? {}, actual);
    return { ...container, resources: { ...container.resources, requests } };
  };
  return {
    ...spec,
    containers: spec.containers.map(raised),
    ...(spec.initContainers && { initContainers: spec.initContainers.map(raised) }),
  };
}

/** Adds what running the pod itself costs. */
export function withOverhead(list: ResourceList, spec: PodSpec): ResourceList {
  return spec.overhead ? sumLists(list, spec.overhead) : list;
}
