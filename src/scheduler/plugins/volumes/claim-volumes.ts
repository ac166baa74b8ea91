import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '../../../api/core/v1.gen.ts';
import type { StorageClass } from '../../../api/storage/v1.gen.ts';
import type { Live } from '../../../machinery/object.ts';

export type Claim = Live<PersistentVolumeClaim>;
export type ClaimedVolume = Live<PersistentVolume>;

/** Annotations by which the scheduler, the volume binder and provisioners agree. */
export const bindCompleted = 'pv.kubernetes.io/bind-completed';
export const boundByController = 'pv.kubernetes.io/bound-by-controller';
export const selectedNode = 'volume.kubernetes.io/selected-node';

/** A claim that a pod's volume uses; `ephemeral`: made for the pod. */
export interface ClaimUse {
  readonly name: string;
  readonly ephemeral: boolean;
}

/** A pod's claims by what must happen before it can run. */
export interface PodClaims {
  readonly bound: readonly Claim[];
  /** Bound once the pod has a node. */
  readonly delayed: readonly Claim[];
  /** Bound by others, without regard to pods. */
  readonly immediate: readonly Claim[];
}

export interface ClaimLookup {
  claim(namespace: string, name: string): Claim | undefined;
  storageClass(name: string): StorageClass | undefined;
}

/** The claim that a volume of a pod uses. */
export function claimUse(podName: string, volume: Volume): ClaimUse | undefined {
  if (volume.persistentVolumeClaim) {
    return { name: volume.persistentVolumeClaim.claimName, ephemeral: false };
  }
  return volume.ephemeral ? { name: `${podName}-${volume.name}`, ephemeral: true } : undefined;
}

/** The claims that a pod's volumes use. */
export function claimUses(pod: Live<Pod>): readonly ClaimUse[] {
  return (pod.spec.volumes ?? []).flatMap((volume) => claimUse(pod.metadata.name, volume) ?? []);
}

/** Names of the claims that a pod names itself, those made for it left out. */
export function namedClaims(pod: Live<Pod>): readonly string[] {
  return claimUses(pod).flatMap(({ name, ephemeral }) => (ephemeral ? [] : [name]));
}

/** Finds a pod's claims; a string says, in upstream's words, what is wrong with one of them. */
export function podClaims(pod: Live<Pod>, lookup: ClaimLookup): PodClaims | string {
  const bound: Claim[] = [];
  const delayed: Claim[] = [];
  const immediate: Claim[] = [];
  for (const use of claimUses(pod)) {
    const claim = lookup.claim(pod.metadata.namespace ?? '', use.name);
    const problem = claimProblem(claim, use, pod);
    if (problem !== undefined) return problem;
    if (!claim) continue;
    if (isBound(claim)) bound.push(claim);
    else if (!claim.spec.volumeName && waitsForConsumer(claim, lookup)) delayed.push(claim);
    else immediate.push(claim);
  }
  return { bound, delayed, immediate };
}

/** Whether claim and volume know each other. */
export function isBound({ metadata, spec }: PersistentVolumeClaim): boolean {
  return Boolean(spec.volumeName) && metadata.annotations?.[bindCompleted] !== undefined;
}

/** The storage class that a claim or volume names; '' for none. */
export function classNameOf({ metadata, spec }: PersistentVolumeClaim | PersistentVolume): string {
  return metadata.annotations?.['volume.beta.kubernetes.io/storage-class'] ?? spec.storageClassName ?? '';
}

function waitsForConsumer(claim: Claim, lookup: ClaimLookup): boolean {
  return lookup.storageClass(classNameOf(claim))?.volumeBindingMode === 'WaitForFirstConsumer';
}

function claimProblem(
  claim: Claim | undefined,
  { name, ephemeral }: ClaimUse,
  { metadata }: Live<Pod>,
): string | undefined {
  const quoted = JSON.stringify(name);
  if (!claim) {
    return ephemeral
      ? `waiting for ephemeral volume controller to create the persistentvolumeclaim ${quoted}`
      : `persistentvolumeclaim ${quoted} not found`;
  }
  if (claim.status?.phase === 'Lost') {
    const volume = JSON.stringify(claim.spec.volumeName ?? '');
    return `persistentvolumeclaim ${quoted} bound to non-existent persistentvolume ${volume}`;
  }
  if (claim.metadata.deletionTimestamp !== undefined) {
    return `persistentvolumeclaim ${quoted} is being deleted`;
  }
  const owned = claim.metadata.ownerReferences?.some(
    ({ uid, controller }) => controller === true && uid === metadata.uid,
  );
  if (ephemeral && !owned) {
    const pod = `${metadata.namespace ?? ''}/${metadata.name}`;
    return `PVC ${metadata.namespace ?? ''}/${name} was not created for pod ${pod} (pod is not owner)`;
  }
  return undefined;
}
