import type { DeepMutable } from '../../../machinery/object.ts';
import type { Container, PodSpec, ResourceRequirements } from '../v1.gen.ts';
import { type ResourceList, maxLists, sumLists } from './quantities.ts';
import { isHugePage } from './resource-names.ts';

/** Whether a resource may be given for the pod as a whole. */
export function isPodLevelResource(name: string): boolean {
  return name === 'cpu' || name === 'memory' || isHugePage(name);
}

type Side = 'limits' | 'requests';
type Containers = Pick<PodSpec, 'containers' | 'initContainers'>;

function isSidecar(container: Pick<Container, 'restartPolicy'>): boolean {
  return container.restartPolicy === 'Always';
}

/**
 * What the containers need together: the sum of regular containers and sidecars, or what one init container needs
 * beside the sidecars started before it, whichever is more.
 */
function aggregate(spec: Containers, side: Side): ResourceList {
  const of = (container: { readonly resources?: ResourceRequirements }): ResourceList =>
    container.resources?.[side] ?? {};
  let total = (spec.containers ?? []).reduce<ResourceList>((sum, one) => sumLists(sum, of(one)), {});
  let sidecars: ResourceList = {};
  let starting: ResourceList = {};
  for (const container of spec.initContainers ?? []) {
    let current = of(container);
    if (isSidecar(container)) {
      total = sumLists(total, current);
      sidecars = sumLists(sidecars, current);
      current = sidecars;
    } else current = sumLists(current, sidecars);
    starting = maxLists(starting, current);
  }
  return maxLists(total, starting);
}

/** Requests of all containers together. */
export function aggregateRequests(spec: Containers): ResourceList {
  return aggregate(spec, 'requests');
}

/** Limits of all containers together. */
export function aggregateLimits(spec: Containers): ResourceList {
  return aggregate(spec, 'limits');
}

function defaultHugePageLimits(
  spec: DeepMutable<PodSpec>,
  resources: DeepMutable<ResourceRequirements>,
): void {
  const { limits, requests } = resources;
  if (Object.keys(limits ?? {}).length + Object.keys(requests ?? {}).length === 0) return;
  for (const [name, value] of Object.entries(aggregateLimits(spec))) {
    if (!isHugePage(name) || limits?.[name] !== undefined || requests?.[name] !== undefined) continue;
    resources.limits = { ...resources.limits, [name]: value };
  }
}

function defaultRequests(spec: DeepMutable<PodSpec>, resources: DeepMutable<ResourceRequirements>): void {
  if (Object.keys(resources.limits ?? {}).length === 0) return;
  const requests: Record<string, string> = { ...resources.requests };
  for (const [name, value] of Object.entries(aggregateRequests(spec))) {
    if (name === 'cpu' || name === 'memory') requests[name] ??= value;
  }
  for (const [name, value] of Object.entries(resources.limits ?? {})) {
    if (isPodLevelResource(name)) requests[name] ??= value;
  }
  if (Object.keys(requests).length > 0) resources.requests = requests;
}

function defaultLimits(spec: DeepMutable<PodSpec>, resources: DeepMutable<ResourceRequirements>): void {
  if (Object.keys(resources.requests ?? {}).length === 0) return;
  if (Object.keys(resources.limits ?? {}).length > 0) return;
  const all = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  const limits = aggregateLimits(spec);
  for (const name of ['cpu', 'memory']) {
    const limit = limits[name];
    const everywhere = all.every((container) => container.resources?.limits?.[name] !== undefined);
    if (limit === undefined || !everywhere) continue;
    resources.limits = { ...resources.limits, [name]: limit };
  }
}

/** Completes `spec.resources` from the containers' requests and limits; does nothing for pods without it. */
export function defaultPodLevelResources(spec: DeepMutable<PodSpec>): void {
  const { resources } = spec;
  if (!resources) return;
  defaultHugePageLimits(spec, resources);
  defaultRequests(spec, resources);
  defaultLimits(spec, resources);
}
