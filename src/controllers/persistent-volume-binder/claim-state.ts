import type { ObjectReference, PersistentVolume, PersistentVolumeClaim } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';

/** Annotations by which this controller, the scheduler and provisioners agree. */
export const annotations: Readonly<
  Record<
    | 'bindCompleted'
    | 'boundByController'
    | 'selectedNode'
    | 'provisionedBy'
    | 'provisioner'
    | 'betaProvisioner'
    | 'betaClass'
    | 'migratedTo',
    string
  >
> = {
  bindCompleted: 'pv.kubernetes.io/bind-completed',
  boundByController: 'pv.kubernetes.io/bound-by-controller',
  selectedNode: 'volume.kubernetes.io/selected-node',
  provisionedBy: 'pv.kubernetes.io/provisioned-by',
  provisioner: 'volume.kubernetes.io/storage-provisioner',
  betaProvisioner: 'volume.beta.kubernetes.io/storage-provisioner',
  betaClass: 'volume.beta.kubernetes.io/storage-class',
  migratedTo: 'pv.kubernetes.io/migrated-to',
};

type Claim = Live<PersistentVolumeClaim>;
type Volume = Live<PersistentVolume>;

export function hasAnnotation({ metadata }: Claim | Volume, name: keyof typeof annotations): boolean {
  return metadata.annotations?.[annotations[name]] !== undefined;
}

/** The storage class that a claim or volume names; '' for none. */
export function classNameOf({ metadata, spec }: Claim | Volume): string {
  return metadata.annotations?.[annotations.betaClass] ?? spec.storageClassName ?? '';
}

/** Whether a claim says anything about its class, be it that it wants none. */
export function namesClass(claim: Claim): boolean {
  return hasAnnotation(claim, 'betaClass') || claim.spec.storageClassName !== undefined;
}

/** Whether a volume is meant for this claim: by name, and by identity once that is known. */
export function isMeantFor({ spec: { claimRef } }: Volume, { metadata }: Claim): boolean {
  return (
    claimRef !== undefined &&
    claimRef.name === metadata.name &&
    claimRef.namespace === metadata.namespace &&
    (!claimRef.uid || claimRef.uid === metadata.uid)
  );
}

/** `namespace/name` of the claim that a volume points at. */
export function claimKeyOf({ spec: { claimRef } }: Volume): string | undefined {
  return claimRef && keyOfReference(claimRef);
}

export function keyOfReference({ namespace = '', name = '' }: ObjectReference): string {
  return `${namespace}/${name}`;
}
