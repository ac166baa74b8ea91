import type { Container, ContainerExtendedResourceRequest, Pod } from '../../../api/core/v1.gen.ts';
import type { DeviceClass, DeviceRequest } from '../../../api/resource/v1.gen.ts';
import { integerQuantity } from '../../resource-amounts.ts';

/** What a claim asks for so that containers get their extended resources, and which request serves which container. */
export interface ExtendedRequests {
  readonly requests: readonly DeviceRequest[];
  readonly mappings: readonly ContainerExtendedResourceRequest[];
}

interface CountedRequest {
  readonly name: string;
  readonly count: number;
}

/**
 * Requests for the resources of `classes`, container by container: those that run together (sidecars too) have one each;
 * init containers that end before others start use what those will have, and one request more for what that lacks.
 */
export function extendedRequests(pod: Pod, classes: ReadonlyMap<string, DeviceClass>): ExtendedRequests {
  const init = pod.spec.initContainers ?? [];
  const containers = [...init, ...pod.spec.containers];
  const requests: DeviceRequest[] = [];
  const mappings: ContainerExtendedResourceRequest[] = [];
  for (const [resource, { metadata }] of [...classes].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const isBrief = (index: number): boolean =>
      index < init.length && containers[index]?.restartPolicy !== 'Always';
    const lasting = containers.map((container, index) =>
      isBrief(index) ? undefined : requestOf(container, index, resource),
    );
    const short = briefRequests(
      containers.map((one, index) => (isBrief(index) ? one : undefined)),
      {
        resource,
        lasting,
      },
    );
    const made = [...(short.largest ? [short.largest] : []), ...lasting.flatMap((one) => one ?? [])];
    requests.push(
      ...made.map(({ name, count }) => ({
        name,
        exactly: { deviceClassName: metadata.name ?? '', allocationMode: 'ExactCount', count },
      })),
    );
    for (const [index, request] of lasting.entries()) {
      const container = containers[index];
      if (request && container) mappings.push(mapping(container, resource, request.name));
    }
    mappings.push(...short.mappings);
  }
  return { requests: requests.toSorted((a, b) => (a.name < b.name ? -1 : 1)), mappings };
}

/** The brief containers' mappings, and the one request that serves what the largest of them lacks. */
function briefRequests(
  containers: readonly (Container | undefined)[],
  {
    resource,
    lasting,
  }: {
    readonly resource: string;
    readonly lasting: readonly (CountedRequest | undefined)[];
  },
): {
  readonly largest: CountedRequest | undefined;
  readonly mappings: readonly ContainerExtendedResourceRequest[];
} {
  const own: { readonly container: Container; readonly request: CountedRequest }[] = [];
  const mappings: ContainerExtendedResourceRequest[] = [];
  let largest: CountedRequest | undefined;
  for (const [index, container] of containers.entries()) {
    const wanted = container && requestOf(container, index, resource);
    if (!wanted) continue;
    let left = wanted.count;
    for (const later of lasting.slice(index)) {
      if (!later || left <= 0) continue;
      mappings.push(mapping(container, resource, later.name));
      left -= later.count;
    }
    if (left <= 0) continue;
    const request = { name: wanted.name, count: left };
    own.push({ container, request });
    if (!largest || largest.count < left) largest = request;
  }
  const shared = own.map(({ container, request }) => mapping(container, resource, (largest ?? request).name));
  return { largest, mappings: [...mappings, ...shared] };
}

function requestOf({ resources }: Container, index: number, resource: string): CountedRequest | undefined {
  const text = resources?.requests?.[resource];
  const count = text === undefined ? 0 : integerQuantity(resource, text);
  if (count === 0) return undefined;
  const place = Object.keys(resources?.requests ?? {})
    .toSorted()
    .indexOf(resource);
  return { name: `container-${index}-request-${place}`, count };
}

function mapping({ name }: Container, resource: string, request: string): ContainerExtendedResourceRequest {
  return { containerName: name, resourceName: resource, requestName: request };
}
