import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeStatus,
} from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { hasAnnotation } from './claim-state.ts';
import { sameVolumeMode } from './match.ts';

type Claim = Live<PersistentVolumeClaim>;
type Volume = Live<PersistentVolume>;

/** A phase, and for a failure why. */
export interface VolumePhase {
  readonly phase: NonNullable<PersistentVolumeStatus['phase']>;
  readonly failure?: { readonly reason: string; readonly message: string };
}

/** What is to be done for a volume. */
export type VolumeAction =
  | ({ readonly do: 'phase' } & VolumePhase)
  /** The claim takes another volume, or can take this one: it has to decide. */
  | { readonly do: 'wake-claim' }
  | { readonly do: 'mismatch' }
  /** The claim took another volume. */
  | { readonly do: 'unbind' }
  | { readonly do: 'none' };

/** Decides about a volume as upstream's `syncVolume`; `claim` is the one that the volume names, if it still exists. */
export function planVolume(volume: Volume, claim: Claim | undefined): VolumeAction {
  const { claimRef } = volume.spec;
  if (!claimRef) return { do: 'phase', phase: 'Available' };
  const named = claim?.metadata.uid === claimRef.uid ? claim : undefined;
  if (!claimRef.uid) {
    if (volume.status?.phase !== 'Available') return { do: 'phase', phase: 'Available' };
    return claim && !claim.spec.volumeName ? { do: 'wake-claim' } : { do: 'none' };
  }
  if (!named) return planRelease(volume);
  if (!named.spec.volumeName)
    return sameVolumeMode(named, volume) ? { do: 'wake-claim' } : { do: 'mismatch' };
  if (named.spec.volumeName === volume.metadata.name) return { do: 'phase', phase: 'Bound' };
  const provisioned =
    hasAnnotation(volume, 'provisionedBy') && volume.spec.persistentVolumeReclaimPolicy === 'Delete';
  return provisioned ? planRelease(volume) : { do: 'unbind' };
}

/** A volume without its claim is released first, and then reclaimed by whoever can do that. */
function planRelease(volume: Volume): VolumeAction {
  const { phase } = volume.status ?? {};
  if (phase !== 'Released' && phase !== 'Failed') return { do: 'phase', phase: 'Released' };
  const failure = hasAnnotation(volume, 'migratedTo') ? undefined : reclaimFailure(volume);
  return failure ? { do: 'phase', phase: 'Failed', failure } : { do: 'none' };
}

/** Why nobody will reclaim the volume: deleting and recycling are the work of drivers. */
function reclaimFailure(volume: Volume): VolumePhase['failure'] {
  const { name, annotations = {} } = volume.metadata;
  // Whoever keeps the machine's volumes empties its folders.
  if (volume.spec.persistentVolumeReclaimPolicy === 'Recycle' && !volume.spec.hostPath)
    return { reason: 'VolumeFailedRecycle', message: 'No recycler plugin found for the volume!' };
  if (volume.spec.persistentVolumeReclaimPolicy !== 'Delete') return undefined;
  const failed = (why: string): VolumePhase['failure'] => ({ reason: 'VolumeFailedDelete', message: why });
  const noPlugin = `error getting deleter volume plugin for volume "${name}": no volume plugin matched`;
  const provisioner = annotations['pv.kubernetes.io/provisioned-by'];
  if (provisioner !== undefined)
    return provisioner.startsWith('kubernetes.io/') ? failed(`${noPlugin} name: ${provisioner}`) : undefined;
  if (!volume.spec.hostPath) return failed(noPlugin);
  return failed(
    `failed to create deleter for volume "${name}": host_path deleter only supports /tmp/.+ but received provided ${volume.spec.hostPath.path}`,
  );
}
