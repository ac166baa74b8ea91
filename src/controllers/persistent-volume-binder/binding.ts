import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeClaimStatus,
} from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { deepEqual } from '../../reconcile/deep-equal.ts';
import { annotations, hasAnnotation, isMeantFor } from './claim-state.ts';

type Claim = Live<PersistentVolumeClaim>;
type Volume = Live<PersistentVolume>;

/*
 * Binding is four writes, each of which finds the next one to do after a crash:
 *
 *   volume.spec.claimRef → volume.status.phase → claim.spec.volumeName → claim.status
 */

/** The volume with its claim in it; the same object when it is. */
export function withClaim(volume: Volume, claim: Claim): Volume {
  const { claimRef } = volume.spec;
  const { namespace = '', name, uid, resourceVersion } = claim.metadata;
  if (claimRef && claimRef.uid === uid && isMeantFor(volume, claim)) return volume;
  return {
    ...volume,
    metadata: isMeantFor(volume, claim) ? volume.metadata : markedAsOurs(volume.metadata),
    spec: {
      ...volume.spec,
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid, resourceVersion },
    },
  };
}

/** The volume as it was before this controller bound it: without its claim, or with one that is only named. */
export function withoutClaim(volume: Volume): Volume {
  const { claimRef, ...spec } = volume.spec;
  if (hasAnnotation(volume, 'boundByController')) {
    const { [annotations.boundByController]: _ours, ...kept } = volume.metadata.annotations ?? {};
    return { ...volume, metadata: { ...volume.metadata, annotations: kept }, spec };
  }
  const { uid: _uid, ...named } = claimRef ?? {};
  return { ...volume, spec: { ...spec, claimRef: named } };
}

/** The claim with its volume in it; the same object when it is. */
export function withVolume(claim: Claim, volume: Volume): Claim {
  if (claim.spec.volumeName === volume.metadata.name && hasAnnotation(claim, 'bindCompleted')) return claim;
  const metadata = claim.spec.volumeName ? claim.metadata : markedAsOurs(claim.metadata);
  return {
    ...claim,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [annotations.bindCompleted]: 'yes' } },
    spec: { ...claim.spec, volumeName: volume.metadata.name },
  };
}

/** The status of a claim bound to `volume`; its capacity is taken over only when it becomes bound, because it may grow later. */
export function boundStatus({ status }: Claim, { spec }: Volume): PersistentVolumeClaimStatus {
  const next: PersistentVolumeClaimStatus = {
    ...status,
    phase: 'Bound',
    accessModes: spec.accessModes ?? [],
    ...(spec.volumeAttributesClassName !== undefined && {
      currentVolumeAttributesClassName: spec.volumeAttributesClassName,
    }),
    ...(status?.phase !== 'Bound' && spec.capacity && { capacity: spec.capacity }),
  };
  return status && deepEqual(next, status) ? status : next;
}

/** The status of a claim that has no volume. */
export function unboundStatus(
  { status }: Claim,
  phase: 'Pending' | 'Lost',
): PersistentVolumeClaimStatus | undefined {
  if (status?.phase === phase && status.accessModes === undefined && status.capacity === undefined)
    return status;
  const { accessModes: _modes, capacity: _capacity, ...kept } = status ?? {};
  return { ...kept, phase };
}

function markedAsOurs(metadata: Claim['metadata']): Claim['metadata'] {
  return { ...metadata, annotations: { ...metadata.annotations, [annotations.boundByController]: 'yes' } };
}
