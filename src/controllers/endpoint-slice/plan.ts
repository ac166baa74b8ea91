import type { Node, Pod, Service } from '../../api/core/v1.gen.ts';
import type { Endpoint, EndpointPort, EndpointSlice } from '../../api/discovery/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { deepEqual } from '../../reconcile/deep-equal.ts';
import { controllerReference } from '../../reconcile/owner.ts';
import { withTriggerTime } from '../services/trigger-times.ts';
import { belongs, distribute, type SliceGroup } from './distribute.ts';
import { withHints } from './hints.ts';
import { wantsTopology, withTopology } from './topology-hints.ts';
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
  /** When the change happened that is to be shown, if that is known. */
  readonly triggerTime?: string | undefined;
  node(name: string): Live<Node> | undefined;
  /** The part of all processors that each zone has; asked only for services that want it. */
  zoneShares(): ReadonlyMap<string, number> | undefined;
}

export interface SlicePlan {
  readonly create: readonly EndpointSlice[];
  readonly update: readonly EndpointSlice[];
  readonly remove: readonly Live<EndpointSlice>[];
  /** Of a service that wants topology hints: why one of its families has none; `''` when all have. */
  readonly topologyProblem?: string;
}

/**
 * What to write so that the slices hold exactly the service's endpoints: those that stay keep their slice, new ones fill
 * slices up, and one empty slice stays when there is no endpoint at all.
 */
export function planSlices(observation: SliceObservation): SlicePlan {
  const { service, slices, triggerTime } = observation;
  const unused = new Set(slices);
  const create: EndpointSlice[] = [];
  const update: EndpointSlice[] = [];
  const { groups, topologyProblem } = hinted(observation, groupsOf(observation));
  for (const group of groups) {
    const mine = slices.filter((slice) => belongs(slice, group));
    const shares = distribute(group.endpoints, mine, capacity);
    for (const { slice, endpoints } of shares.length > 0 ? shares : [{ slice: mine[0], endpoints: [] }]) {
      const next = wantedSlice(service, { ...group, endpoints }, slice);
      if (slice) unused.delete(slice);
      if (!slice) create.push(stamped(next, triggerTime));
      else if (!deepEqual(next, slice)) update.push(stamped(next, triggerTime));
    }
  }
  return { create, update, remove: [...unused], ...(topologyProblem !== undefined && { topologyProblem }) };
}

interface Hinted extends Pick<SlicePlan, 'topologyProblem'> {
  readonly groups: readonly SliceGroup[];
}

/** The groups with hints: those of the topology mode, or else those of the traffic distribution. */
function hinted({ service, zoneShares }: SliceObservation, groups: readonly SliceGroup[]): Hinted {
  if (!wantsTopology(service))
    return {
      groups: groups.map((group) => ({
        ...group,
        endpoints: group.endpoints.map((endpoint) => withHints(service, endpoint)),
      })),
    };
  const shares = zoneShares();
  let topologyProblem = '';
  const shared = groups.map((group) => {
    const { endpoints, problem } = withTopology(group.endpoints, shares);
    if (problem !== undefined) topologyProblem ||= `${problem}, addressType: ${group.addressType}`;
    return { ...group, endpoints };
  });
  return { groups: shared, topologyProblem };
}

function groupsOf({ service, pods, node }: SliceObservation): SliceGroup[] {
  const groups = new Map<string, SliceGroup & { readonly endpoints: Endpoint[] }>();
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
  const zone = nodeName === undefined ? undefined : zoneOf(node(nodeName));
  return {
    addresses: [address],
    conditions: podConditions(service, pod),
    targetRef: { kind: 'Pod', namespace, name, uid },
    ...(nodeName !== undefined && { nodeName }),
    ...(hostname !== undefined && { hostname }),
    ...(zone !== undefined && { zone }),
  };
}

/** The zone that a node says it is in. */
export function zoneOf(node: Live<Node> | undefined): string | undefined {
  return node?.metadata.labels?.['topology.kubernetes.io/zone'];
}

function stamped(slice: EndpointSlice, time: string | undefined): EndpointSlice {
  const { annotations, ...metadata } = slice.metadata;
  return { ...slice, metadata: { ...metadata, ...withTriggerTime(annotations, time) } };
}

function wantedSlice(
  service: Live<Service>,
  { addressType, ports, endpoints }: SliceGroup,
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
