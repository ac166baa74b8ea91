import type { Pod } from '../../api/core/v1.gen.ts';

/** Where a pod's manifest came from, when that was not the API. */
export const CONFIG_SOURCE: string = 'kubernetes.io/config.source';
/** What a manifest said; it changes with the manifest. */
export const CONFIG_HASH: string = 'kubernetes.io/config.hash';
export const CONFIG_SEEN: string = 'kubernetes.io/config.seen';
/** On the API's image of a static pod: the hash of the pod that it shows. */
export const CONFIG_MIRROR: string = 'kubernetes.io/config.mirror';

/** Whether a pod comes from a manifest on the node. */
export function isStaticPod(pod: Pod): boolean {
  const source = pod.metadata.annotations?.[CONFIG_SOURCE];
  return source !== undefined && source !== 'api';
}

/** Whether a pod is what the API shows of a static pod. */
export function isMirrorPod(pod: Pod): boolean {
  return pod.metadata.annotations?.[CONFIG_MIRROR] !== undefined;
}
