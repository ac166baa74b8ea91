import type { Pod, Service, ServicePort } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { selectorFromMap, selectorMatches } from '../../machinery/selectors/label-selector.ts';
import { isPodFinished, isPodReady } from '../pods/pod-state.ts';

/** Whether a controller keeps the endpoints of this service, rather than whoever made it. */
export function hasSelector({ spec }: Service): boolean {
  return spec.type !== 'ExternalName' && spec.selector !== undefined && Object.keys(spec.selector).length > 0;
}

export function selectsPod(service: Service, pod: Pod): boolean {
  return selectorMatches(selectorFromMap(service.spec.selector), pod.metadata.labels);
}

/** Whether traffic could ever reach the pod: it has an address and is not finished. */
export function isReachable(pod: Pod): boolean {
  return (pod.status?.podIPs?.length ?? 0) > 0 && !isPodFinished(pod);
}

/** `ready`, `serving` and `terminating` as EndpointSlices define them. */
export interface PodConditions {
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
}

export function podConditions(service: Service, pod: Pod): PodConditions {
  const serving = isPodReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  return {
    serving,
    terminating,
    ready: service.spec.publishNotReadyAddresses === true || (serving && !terminating),
  };
}

/** A service's port as it is on one pod. */
export interface PodPort {
  readonly name: string;
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  readonly appProtocol?: string;
}

/** The service's ports on the pod; a named target port that the pod does not have is left out. */
export function podPorts(service: Service, pod: Pod): readonly PodPort[] {
  return (service.spec.ports ?? []).flatMap((servicePort) => {
    const port = targetPort(servicePort, pod);
    if (port === undefined) return [];
    const { name = '', protocol = 'TCP', appProtocol } = servicePort;
    return [{ name, port, protocol, ...(appProtocol !== undefined && { appProtocol }) }];
  });
}

function targetPort({ targetPort, port, protocol = 'TCP' }: ServicePort, { spec }: Pod): number | undefined {
  if (targetPort === undefined || targetPort === 0 || targetPort === '') return port;
  if (typeof targetPort === 'number') return targetPort;
  const sidecars = (spec.initContainers ?? []).filter((container) => container.restartPolicy === 'Always');
  for (const container of [...spec.containers, ...sidecars]) {
    const found = container.ports?.find(
      (candidate) => candidate.name === targetPort && (candidate.protocol ?? 'TCP') === protocol,
    );
    if (found) return found.containerPort;
  }
  return undefined;
}

/** The pod's own name in the service's domain, when it asked for one there. */
export function hostnameIn(service: Live<Service>, { spec, metadata }: Pod): string | undefined {
  const inDomain =
    spec.subdomain === service.metadata.name && metadata.namespace === service.metadata.namespace;
  return spec.hostname && inDomain ? spec.hostname : undefined;
}

/** The pod's address of an IP family. */
export function addressOf({ status }: Pod, family: string): string | undefined {
  return status?.podIPs?.find(({ ip }) => ip?.includes(':') === (family === 'IPv6'))?.ip;
}

export function isHeadless({ spec }: Service): boolean {
  return spec.clusterIP === 'None';
}

/** Marks endpoints of headless services. */
export const headlessLabel: string = 'service.kubernetes.io/headless';
