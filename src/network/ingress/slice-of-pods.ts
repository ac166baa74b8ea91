import type { Pod, Service, ServicePort } from '../../api/core/v1.gen.ts';
import type { EndpointSlice } from '../../api/discovery/v1.gen.ts';
import { selectorFromMap, selectorMatches } from '../../machinery/selectors/label-selector.ts';
import { isConditionTrue } from '../../reconcile/conditions.ts';

/**
 * What the EndpointSlice of a Service would say if it could: pods that share the machine's network have addresses of
 * loopback, which no EndpointSlice may hold. One slice for each pod, since named ports can differ.
 */
export function slicesOfPods(service: Service | undefined, pods: readonly Pod[]): readonly EndpointSlice[] {
  const selector = service?.spec?.selector;
  if (!service || !selector || Object.keys(selector).length === 0) return [];
  const selects = selectorFromMap(selector);
  return pods.flatMap((pod): readonly EndpointSlice[] => {
    const ip = pod.status?.podIP;
    if (!ip?.startsWith('127.') || !selectorMatches(selects, pod.metadata.labels)) return [];
    const terminating = pod.metadata.deletionTimestamp !== undefined;
    const serving = isConditionTrue(pod.status?.conditions ?? [], 'Ready');
    return [
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: {},
        addressType: 'IPv4',
        endpoints: [
          { addresses: [ip], conditions: { ready: serving && !terminating, serving, terminating } },
        ],
        ports: (service.spec?.ports ?? []).flatMap((port) => {
          const number = targetOf(port, pod);
          return number === undefined
            ? []
            : [{ name: port.name ?? '', protocol: port.protocol ?? 'TCP', port: number }];
        }),
      },
    ];
  });
}

function targetOf({ port, targetPort = port }: ServicePort, pod: Pod): number | undefined {
  if (typeof targetPort === 'number') return targetPort;
  const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
  return containers.flatMap(({ ports = [] }) => ports).find(({ name }) => name === targetPort)?.containerPort;
}
