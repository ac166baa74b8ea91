import type { Pod, PodResourceClaim } from '../core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import type { ResourceClaim } from './v1.gen.ts';

/** The claim behind an entry of a pod's `resourceClaims`; undefined: not made yet; empty: none is needed. */
export function podClaimName(
  { status }: Pod,
  { name, resourceClaimName }: PodResourceClaim,
): string | undefined {
  if (resourceClaimName !== undefined) return resourceClaimName;
  const made = status?.resourceClaimStatuses?.find((one) => one.name === name);
  return made && (made.resourceClaimName ?? '');
}

/** Says, in upstream's words, that a claim of a pod has not been made. */
export function claimNotMade({ metadata: { namespace, name } }: Live<Pod>): string {
  return `pod "${namespace}/${name}": ResourceClaim not created yet`;
}

/** Why a claim is not the one that was made for a pod, in upstream's words; undefined when it is. */
export function notMadeFor(
  { metadata: { namespace, name: podName, uid } }: Live<Pod>,
  { metadata: { name, ownerReferences } }: Live<ResourceClaim>,
): string | undefined {
  if (ownerReferences?.some((owner) => owner.controller && owner.uid === uid)) return undefined;
  return `ResourceClaim ${namespace}/${name} was not created for pod ${namespace}/${podName} (pod is not owner)`;
}

export function isReservedFor({ status }: ResourceClaim, uid: string): boolean {
  return (status?.reservedFor ?? []).some((consumer) => consumer.uid === uid);
}
