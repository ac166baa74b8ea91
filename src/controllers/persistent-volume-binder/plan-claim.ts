import type { PersistentVolume, PersistentVolumeClaim } from '../../api/core/v1.gen.ts';
import type { StorageClass } from '../../api/storage/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { classNameOf, hasAnnotation, isMeantFor, namesClass } from './claim-state.ts';
import { findMatch, mismatchOf } from './match.ts';

type Claim = Live<PersistentVolumeClaim>;
type Volume = Live<PersistentVolume>;

/** Something to tell people about a claim. */
export interface ClaimEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** What is to be done for a claim. */
export type ClaimAction =
  | { readonly do: 'bind'; readonly volume: Volume }
  | { readonly do: 'phase'; readonly phase: 'Pending' | 'Lost'; readonly event?: ClaimEvent }
  | { readonly do: 'class'; readonly name: string }
  | { readonly do: 'provision'; readonly provisioner: string };

export interface ClaimObservation {
  readonly claim: Claim;
  /** The volume that the claim names. */
  readonly named: Volume | undefined;
  /** Volumes that name the claim, and those of its class that name nobody and are promised to nobody. */
  readonly candidates: readonly Volume[];
  readonly defaultClass: string | undefined;
  storageClass(name: string): StorageClass | undefined;
  /** Names of pods that use the claim and have no node yet. */
  waitingPods(): readonly string[];
}

/** Decides about a claim as upstream's `syncClaim`. */
export function planClaim(observation: ClaimObservation): ClaimAction {
  const { claim } = observation;
  if (hasAnnotation(claim, 'bindCompleted')) return planBound(observation);
  return claim.spec.volumeName ? planRequested(observation) : planUnbound(observation);
}

function planUnbound(observation: ClaimObservation): ClaimAction {
  const { claim, candidates, defaultClass, storageClass } = observation;
  const className = classNameOf(claim);
  const held = storageClass(className);
  const waits = held?.volumeBindingMode === 'WaitForFirstConsumer';
  const volume = findMatch(claim, candidates, waits ? 'first-consumer' : 'now');
  if (volume) return { do: 'bind', volume };
  if (!namesClass(claim) && defaultClass !== undefined) return { do: 'class', name: defaultClass };
  if (waits && !hasAnnotation(claim, 'selectedNode')) return pending(waitEvent(observation.waitingPods()));
  if (className === '')
    return pending({
      type: 'Normal',
      reason: 'FailedBinding',
      message: 'no persistent volumes available for this claim and no storage class is set',
    });
  return planProvisioning(className, held);
}

function waitEvent(pods: readonly string[]): ClaimEvent {
  if (pods.length === 0) {
    const message = 'waiting for first consumer to be created before binding';
    return { type: 'Normal', reason: 'WaitForFirstConsumer', message };
  }
  const message =
    pods.length === 1
      ? `waiting for pod ${pods[0]} to be scheduled`
      : `waiting for pods ${pods.join(',')} to be scheduled`;
  return { type: 'Normal', reason: 'WaitForPodScheduled', message };
}

/** Names under which drivers of their own have taken over what once was built in. */
const migrated: ReadonlyMap<string, string> = new Map([
  ['kubernetes.io/aws-ebs', 'ebs.csi.aws.com'],
  ['kubernetes.io/azure-disk', 'disk.csi.azure.com'],
  ['kubernetes.io/azure-file', 'file.csi.azure.com'],
  ['kubernetes.io/cinder', 'cinder.csi.openstack.org'],
  ['kubernetes.io/gce-pd', 'pd.csi.storage.gke.io'],
  ['kubernetes.io/portworx-volume', 'pxd.portworx.com'],
  ['kubernetes.io/vsphere-volume', 'csi.vsphere.vmware.com'],
]);

/** Volumes are made by whoever watches for the annotation; nothing here makes one. */
function planProvisioning(className: string, held: StorageClass | undefined): ClaimAction {
  const failed = (message: string): ClaimAction =>
    pending({ type: 'Warning', reason: 'ProvisioningFailed', message });
  if (!held) return failed(`storageclass.storage.k8s.io "${className}" not found`);
  const provisioner = migrated.get(held.provisioner) ?? held.provisioner;
  if (provisioner.startsWith('kubernetes.io/'))
    return failed(`no volume plugin matched name: ${provisioner}`);
  return { do: 'provision', provisioner };
}

function planRequested({ claim, named }: ClaimObservation): ClaimAction {
  if (!named) return pending();
  if (named.spec.claimRef) {
    if (isMeantFor(named, claim)) return { do: 'bind', volume: named };
    const message = `volume "${named.metadata.name}" already bound to a different claim.`;
    return pending({ type: 'Warning', reason: 'FailedBinding', message });
  }
  const mismatch = mismatchOf(claim, named);
  if (mismatch === undefined) return { do: 'bind', volume: named };
  const message = `Cannot bind to requested volume "${named.metadata.name}": ${mismatch}`;
  return pending({ type: 'Warning', reason: 'VolumeMismatch', message });
}

function planBound({ claim, named }: ClaimObservation): ClaimAction {
  if (!claim.spec.volumeName)
    return lost(
      'ClaimLost',
      'Bound claim has lost reference to PersistentVolume. Data on the volume is lost!',
    );
  if (!named)
    return lost('ClaimLost', 'Bound claim has lost its PersistentVolume. Data on the volume is lost!');
  const { claimRef } = named.spec;
  if (!claimRef || claimRef.uid === claim.metadata.uid) return { do: 'bind', volume: named };
  return lost('ClaimMisbound', 'Two claims are bound to the same volume, this one is bound incorrectly');
}

function pending(event?: ClaimEvent): ClaimAction {
  return { do: 'phase', phase: 'Pending', ...(event && { event }) };
}

function lost(reason: string, message: string): ClaimAction {
  return { do: 'phase', phase: 'Lost', event: { type: 'Warning', reason, message } };
}
