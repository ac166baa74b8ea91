import type { EndpointAddress, EndpointPort, EndpointSubset, Pod, Service } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { omitZero } from '../../reconcile/omit-zero.ts';
import {
  addressOf,
  hostnameIn,
  isReachable,
  podConditions,
  podPorts,
  type PodPort,
} from '../services/service-pods.ts';

/** More addresses than this in one Endpoints object are left out, as upstream does. */
const capacity = 1000;

export interface Subsets {
  readonly subsets: readonly EndpointSubset[];
  /** Whether addresses had to be left out; those that are not ready go first. */
  readonly truncated: boolean;
}

interface Group {
  readonly ports: readonly PodPort[];
  readonly ready: EndpointAddress[];
  readonly notReady: EndpointAddress[];
}

/** The subsets of a service: addresses grouped by the ports that they serve, in a canonical order. */
export function planSubsets(service: Live<Service>, pods: readonly Live<Pod>[]): Subsets {
  const groups = new Map<string, Group>();
  const [family = 'IPv4'] = service.spec.ipFamilies ?? [];
  for (const pod of inOrder(pods)) {
    const ip = addressOf(pod, family);
    const { ready, terminating } = podConditions(service, pod);
    if (ip === undefined || !isReachable(pod)) continue;
    if (terminating && service.spec.publishNotReadyAddresses !== true) continue;
    const ports = podPorts(service, pod);
    if (ports.length === 0 && service.spec.clusterIP !== 'None') continue;
    const key = ports.map(({ name, port, protocol }) => `${name}/${port}/${protocol}`).join();
    const group = groups.get(key) ?? { ports, ready: [], notReady: [] };
    groups.set(key, group);
    (ready ? group.ready : group.notReady).push(endpointAddress(service, pod, ip));
  }
  const ordered = [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => group);
  const truncated = truncate(ordered);
  return {
    subsets: ordered.filter(({ ready, notReady }) => ready.length + notReady.length > 0).map(subset),
    truncated,
  };
}

/** Shortens the lists of addresses until all together are few enough; every group gives up the same share. */
function truncate(groups: readonly Group[]): boolean {
  const ready = groups.reduce((sum, group) => sum + group.ready.length, 0);
  const notReady = groups.reduce((sum, group) => sum + group.notReady.length, 0);
  if (ready + notReady <= capacity) return false;
  shorten(
    groups.map((group) => group.ready),
    Math.min(capacity, ready),
  );
  shorten(
    groups.map((group) => group.notReady),
    Math.max(0, capacity - ready),
  );
  return true;
}

function shorten(lists: readonly EndpointAddress[][], total: number): void {
  const all = lists.reduce((sum, list) => sum + list.length, 0);
  let left = total;
  let rest = all;
  for (const list of lists) {
    const share = rest === 0 ? 0 : Math.round((left * list.length) / rest);
    rest -= list.length;
    list.length = Math.min(list.length, share);
    left -= list.length;
  }
}

function inOrder(pods: readonly Live<Pod>[]): Live<Pod>[] {
  const key = ({ status, metadata }: Live<Pod>): string => `${status?.podIP} ${metadata.uid}`;
  return pods.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

function endpointAddress(service: Live<Service>, pod: Live<Pod>, ip: string): EndpointAddress {
  const { namespace = '', name, uid } = pod.metadata;
  const hostname = hostnameIn(service, pod);
  return {
    ip,
    ...(pod.spec.nodeName !== undefined && { nodeName: pod.spec.nodeName }),
    ...(hostname !== undefined && { hostname }),
    targetRef: { kind: 'Pod', namespace, name, uid },
  };
}

function subset({ ports, ready, notReady }: Group): EndpointSubset {
  return {
    ...omitZero({ addresses: ready, notReadyAddresses: notReady }),
    ports: ports.map(({ name, port, protocol, appProtocol }): EndpointPort => ({
      port,
      protocol,
      ...omitZero({ name, appProtocol }),
    })),
  };
}
