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

interface Group {
  readonly ports: readonly PodPort[];
  readonly ready: EndpointAddress[];
  readonly notReady: EndpointAddress[];
}

/** The subsets of a service: addresses grouped by the ports that they serve, in a canonical order. */
export function planSubsets(service: Live<Service>, pods: readonly Live<Pod>[]): readonly EndpointSubset[] {
  const groups = new Map<string, Group>();
  const [family = 'IPv4'] = service.spec.ipFamilies ?? [];
  for (const pod of inOrder(pods).slice(0, capacity)) {
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
  return [...groups.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, group]) => subset(group));
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
