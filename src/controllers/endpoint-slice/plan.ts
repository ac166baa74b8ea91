import type { Node, Pod, Service } from '../../api/core/v1.gen.ts';
import type { Endpoint, EndpointPort, EndpointSlice } from '../../api/discovery/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { deepEqual } from '../../reconcile/deep-equal.ts';
import { controllerReference } from '../../reconcile/owner.ts';
import {
  addressOf,
  headlessLabel,
  hostnameIn,
  isHeadless,
  isReachable,
  podConditions,
  podPorts,
  type PodPort,
} from '../services/service-pods.ts';

export const serviceNameLabel: string = 'kubernetes.io/service-name';
export const managedByLabel: string = 'endpointslice.kubernetes.io/managed-by';
export const managedBy: string = 'endpointslice-controller.k8s.io';

/** How many endpoints a slice holds. */
const capacity = 100;

export interface SliceObservation {
  readonly service: Live<Service>;
  /** The pods that the service selects. */
  readonly pods: readonly Live<Pod>[];
  /** The slices that this controller keeps for the service. */
  readonly slices: readonly Live<EndpointSlice>[];
  node(name: string): Live<Node> | undefined;
}

export interface SlicePlan {
  readonly create: readonly EndpointSlice[];
  readonly update: readonly EndpointSlice[];
  readonly remove: readonly Live<EndpointSlice>[];
}

interface Group {
  readonly addressType: string;
  readonly ports: readonly EndpointPort[];
  readonly endpoints: readonly Endpoint[];
}

/**
 * What to write so that the slices hold exactly the service's endpoints: those that stay keep their slice, new ones fill
 * slices up, and one empty slice stays when there is no endpoint at all.
 */
export function planSlices(observation: SliceObservation): SlicePlan {
  const { service, slices } = observation;
  const unused = new Set(slices);
  const create: EndpointSlice[] = [];
  const update: EndpointSlice[] = [];
  for (const group of groupsOf(observation)) {
    const mine = slices.filter((slice) => belongs(slice, group));
    for (const { slice, endpoints } of distribute(group.endpoints, mine)) {
      const next = wantedSlice(service, { ...group, endpoints }, slice);
      if (!slice) create.push(next);
      else {
        unused.delete(slice);
        if (!deepEqual(next, slice)) update.push(next);
      }
    }
  }
  return { create, update, remove: [...unused] };
}

function groupsOf({ service, pods, node }: SliceObservation): Group[] {
  const groups = new Map<string, Group & { readonly endpoints: Endpoint[] }>();
  for (const addressType of service.spec.ipFamilies ?? ['IPv4']) {
    const before = groups.size;
    for (const pod of pods) {
      const address = addressOf(pod, addressType);
      if (address === undefined || !isReachable(pod)) continue;
      const ports = podPorts(service, pod).map(slicePort);
      const key = `${addressType} ${ports.map((port) => `${port.name}/${port.port}/${port.protocol}`).join()}`;
      const group = groups.get(key) ?? { addressType, ports, endpoints: [] };
      groups.set(key, group);
      group.endpoints.push(endpointOf(service, pod, { address, node }));
    }
    if (groups.size === before) groups.set(addressType, { addressType, ports: [], endpoints: [] });
  }
  return [...groups.values()];
}

function slicePort({ name, port, protocol, appProtocol }: PodPort): EndpointPort {
  return { name, port, protocol, ...(appProtocol !== undefined && { appProtocol }) };
}

function endpointOf(
  service: Live<Service>,
  pod: Live<Pod>,
  { address, node }: { readonly address: string; readonly node: SliceObservation['node'] },
): Endpoint {
  const { namespace = '', name, uid } = pod.metadata;
  const { nodeName } = pod.spec;
  const hostname = hostnameIn(service, pod);
  const zone =
    nodeName === undefined ? undefined : node(nodeName)?.metadata.labels?.['topology.kubernetes.io/zone'];
  return {
    addresses: [address],
    conditions: podConditions(service, pod),
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(nodeName !== undefined && { nodeName }),
    ...(hostname !== undefined && { hostname }),
    ...(zone !== undefined && { zone }),
  };
}

function belongs(slice: Live<EndpointSlice>, group: Group): boolean {
  return slice.addressType === group.addressType && deepEqual(slice.ports ?? [], group.ports);
}

interface Share {
  readonly slice: Live<EndpointSlice> | undefined;
  readonly endpoints: readonly Endpoint[];
}

/** Leaves endpoints in the slices that hold them, fills those up with new ones, and opens slices for the rest. */
function distribute(endpoints: readonly Endpoint[], slices: readonly Live<EndpointSlice>[]): Share[] {
  const waiting = new Map(endpoints.map((endpoint) => [endpointKey(endpoint), endpoint]));
  const kept = slices.map((slice) => ({ slice, endpoints: take(slice, waiting) }));
  const fresh = [...waiting.values()];
  const shares: Share[] = kept.map((share) => ({
    slice: share.slice,
    endpoints: [...share.endpoints, ...fresh.splice(0, Math.max(0, capacity - share.endpoints.length))],
  }));
  while (fresh.length > 0) shares.push({ slice: undefined, endpoints: fresh.splice(0, capacity) });
  const filled = shares.filter((share) => share.endpoints.length > 0);
  if (filled.length > 0) return filled;
  return [shares[0] ?? { slice: undefined, endpoints: [] }];
}

function take(slice: Live<EndpointSlice>, waiting: Map<string, Endpoint>): Endpoint[] {
  return slice.endpoints.flatMap((endpoint) => {
    const key = endpointKey(endpoint);
    const wanted = waiting.get(key);
    waiting.delete(key);
    return wanted ? [wanted] : [];
  });
}

function endpointKey({ targetRef, addresses }: Endpoint): string {
  return `${targetRef?.uid} ${addresses.join()}`;
}

function wantedSlice(
  service: Live<Service>,
  { addressType, ports, endpoints }: Group,
  current: Live<EndpointSlice> | undefined,
): EndpointSlice {
  const { name, namespace = '' } = service.metadata;
  const labels = {
    ...service.metadata.labels,
    ...(isHeadless(service) && { [headlessLabel]: '' }),
    [serviceNameLabel]: name,
    [managedByLabel]: managedBy,
  };
  return {
    ...current,
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    addressType,
    ports,
    endpoints,
    metadata: current
      ? { ...current.metadata, labels }
      : { generateName: `${name}-`, namespace, labels, ownerReferences: [controllerReference(service)] },
  };
}
