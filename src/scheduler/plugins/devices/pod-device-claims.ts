import type { Pod, PodResourceClaim } from '../../../api/core/v1.gen.ts';
import type { ResourceClaim } from '../../../api/resource/v1.gen.ts';
import type { Live } from '../../../machinery/object.ts';

export type DeviceClaim = Live<ResourceClaim>;

/** A claim may be reserved for this many pods. */
const maxReservations = 256;

/** The claims for devices that a pod uses; a string says, in upstream's words, which is missing or unfit. */
export function podDeviceClaims(
  pod: Live<Pod>,
  find: (namespace: string, name: string) => DeviceClaim | undefined,
): readonly DeviceClaim[] | string {
  const { namespace = '', name: podName, uid } = pod.metadata;
  const claims: DeviceClaim[] = [];
  for (const use of pod.spec.resourceClaims ?? []) {
    const generated = use.resourceClaimName === undefined;
    const name = claimName(pod, use);
    if (name === undefined) return `pod "${namespace}/${podName}": ResourceClaim not created yet`;
    if (name === '') continue;
    const claim = find(namespace, name);
    if (!claim) return `resourceclaim.resource.k8s.io ${JSON.stringify(name)} not found`;
    if (claim.metadata.deletionTimestamp !== undefined) {
      return `resourceclaim ${JSON.stringify(name)} is being deleted`;
    }
    const owned = claim.metadata.ownerReferences?.some((owner) => owner.controller && owner.uid === uid);
    if (generated && !owned) {
      return `ResourceClaim ${namespace}/${name} was not created for pod ${namespace}/${podName} (pod is not owner)`;
    }
    claims.push(claim);
  }
  return claims;
}

export function isReservedFor({ status }: ResourceClaim, uid: string): boolean {
  return (status?.reservedFor ?? []).some((consumer) => consumer.uid === uid);
}

export function canBeReserved({ status }: ResourceClaim): boolean {
  return (status?.reservedFor ?? []).length < maxReservations;
}

/** Undefined: not made yet; empty: none is needed. */
function claimName({ status }: Pod, { name, resourceClaimName }: PodResourceClaim): string | undefined {
  if (resourceClaimName !== undefined) return resourceClaimName;
  const made = status?.resourceClaimStatuses?.find((one) => one.name === name);
  return made && (made.resourceClaimName ?? '');
}
