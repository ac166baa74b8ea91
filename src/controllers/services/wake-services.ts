import type { Pod, Service } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { deepEqual } from '../../reconcile/deep-equal.ts';
import type { Informer } from '../../reconcile/informer.ts';
import { objectKey } from '../../reconcile/reconciler.ts';
import { hasSelector, selectsPod } from './service-pods.ts';

/**
 * Calls `wake` with the key of every service whose endpoints a change of services or pods may change; returns what calls it
 * for the services of one pod.
 */
export function wakeServices(
  services: Informer<Service>,
  pods: Informer<Pod>,
  wake: (key: string) => void,
): (pod: Live<Pod>) => void {
  const wakeFor = (pod: Live<Pod>): void => {
    for (const service of services.list(pod.metadata.namespace)) {
      if (hasSelector(service) && selectsPod(service, pod)) wake(objectKey(service));
    }
  };
  services.addHandler({
    onAdd: (service) => wake(objectKey(service)),
    onUpdate: (service) => wake(objectKey(service)),
    onDelete: (service) => wake(objectKey(service)),
  });
  pods.addHandler({
    onAdd: wakeFor,
    onUpdate(pod, previous) {
      if (!concernsEndpoints(pod, previous)) return;
      if (!deepEqual(pod.metadata.labels, previous.metadata.labels)) wakeFor(previous);
      wakeFor(pod);
    },
    onDelete: wakeFor,
  });
  return wakeFor;
}

function concernsEndpoints(pod: Live<Pod>, previous: Live<Pod>): boolean {
  const relevant = ({ metadata, spec, status }: Live<Pod>): unknown => [
    metadata.labels,
    metadata.deletionTimestamp,
    spec.nodeName,
    status?.phase,
    status?.podIPs,
    status?.conditions?.find(({ type }) => type === 'Ready')?.status,
  ];
  return !deepEqual(relevant(pod), relevant(previous));
}
