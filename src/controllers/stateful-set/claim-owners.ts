import type { StatefulSet } from '../../api/apps/v1.gen.ts';
import type { PersistentVolumeClaim, Pod } from '../../api/core/v1.gen.ts';
import type { OwnerReference } from '../../machinery/meta/v1.gen.ts';
import type { KubeObject, Live } from '../../machinery/object.ts';
import { controllerReference } from '../../reconcile/owner.ts';
import { isWanted } from './identity.ts';

/** A claim of a member that exists. */
export interface MemberClaim {
  readonly set: Live<StatefulSet>;
  readonly pod: Live<Pod>;
  readonly ordinal: number;
  readonly claim: Live<PersistentVolumeClaim>;
}

/**
 * The owners that `persistentVolumeClaimRetentionPolicy` asks for (KEP-1847), so that garbage collection deletes the
 * claim: the set when it goes with the set, the pod when it goes as the set shrinks. Undefined when the claim has them, and
 * when it belongs to an earlier set or pod of the name or to another controller.
 */
export function retentionOwners(member: MemberClaim): readonly OwnerReference[] | undefined {
  const { set, pod, ordinal, claim } = member;
  const references = claim.metadata.ownerReferences ?? [];
  if (isStale(claim, set) || isStale(claim, pod)) return undefined;
  const ours = ({ uid }: OwnerReference): boolean => uid === set.metadata.uid || uid === pod.metadata.uid;
  const { whenScaled = 'Retain', whenDeleted = 'Retain' } =
    set.spec.persistentVolumeClaimRetentionPolicy ?? {};
  const others = references.filter((reference) => !ours(reference));
  const retained = whenScaled === 'Retain' && whenDeleted === 'Retain';
  const owner = retained || others.some(({ controller }) => controller) ? undefined : ownerFor();
  const wanted = [...others, ...(owner ? [controllerReference(owner)] : [])];
  const same =
    wanted.length === references.length &&
    wanted.every(({ uid, controller }) =>
      references.some((one) => one.uid === uid && (one.controller ?? false) === (controller ?? false)),
    );
  return same ? undefined : wanted;

  function ownerFor(): Live<KubeObject> | undefined {
    if (whenScaled === 'Delete' && !isWanted(set, ordinal)) return pod;
    return whenDeleted === 'Delete' ? set : undefined;
  }
}

/** Whether a claim is about to go with an earlier pod of the name, so that a new pod must wait. */
export function isClaimGoing(set: StatefulSet, podName: string, claim: Live<PersistentVolumeClaim>): boolean {
  if (set.spec.persistentVolumeClaimRetentionPolicy?.whenScaled !== 'Delete') return false;
  return (
    claim.metadata.ownerReferences?.some(({ kind, name }) => kind === 'Pod' && name === podName) === true
  );
}

/** Whether a claim is owned by something of the same kind and name that is no more. */
function isStale(claim: Live<PersistentVolumeClaim>, owner: Live<KubeObject>): boolean {
  return (
    claim.metadata.ownerReferences?.some(
      ({ apiVersion, kind, name, uid }) =>
        apiVersion === owner.apiVersion &&
        kind === owner.kind &&
        name === owner.metadata.name &&
        uid !== owner.metadata.uid,
    ) === true
  );
}
