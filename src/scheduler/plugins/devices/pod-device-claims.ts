import type { Pod } from '../../../api/core/v1.gen.ts';
import { claimNotMade, notMadeFor, podClaimName } from '../../../api/resource/pod-claim-name.ts';
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
  const { namespace = '' } = pod.metadata;
  const claims: DeviceClaim[] = [];
  for (const use of pod.spec.resourceClaims ?? []) {
    const generated = use.resourceClaimName === undefined;
    const name = podClaimName(pod, use);
    if (name === undefined) return claimNotMade(pod);
    if (name === '') continue;
    const claim = find(namespace, name);
    if (!claim) return `resourceclaim.resource.k8s.io ${JSON.stringify(name)} not found`;
    if (claim.metadata.deletionTimestamp !== undefined) {
      return `resourceclaim ${JSON.stringify(name)} is being deleted`;
    }
    const refusal = generated ? notMadeFor(pod, claim) : undefined;
    if (refusal !== undefined) return refusal;
    claims.push(claim);
  }
  return claims;
}

export function canBeReserved({ status }: ResourceClaim): boolean {
  return (status?.reservedFor ?? []).length < maxReservations;
}
