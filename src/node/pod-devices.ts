import type { Pod } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import type { NodeContext } from './node-context.ts';
import type { PodObservation } from './pod-status.ts';

/** What a pod's status says of its devices. */
export function podDevices(
  { claims, devices }: Pick<NodeContext, 'claims' | 'devices'>,
  pod: Live<Pod>,
): Pick<PodObservation, 'holdsClaims' | 'deviceHealth'> {
  const { uid } = pod.metadata;
  return {
    holdsClaims: claims.holds(uid),
    deviceHealth: (container) => [...devices.health(uid, container.name), ...claims.health(pod, container)],
  };
}
