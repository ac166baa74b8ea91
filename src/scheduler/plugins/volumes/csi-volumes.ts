import type { StorageClass } from '../../../api/storage/v1.gen.ts';
import { classNameOf, type Claim, type ClaimedVolume } from './claim-volumes.ts';

export interface CsiLookup {
  claim(namespace: string, name: string): Claim | undefined;
  volume(name: string): ClaimedVolume | undefined;
  storageClass(name: string): StorageClass | undefined;
}

/** A volume of a driver that attaches a limited number to each node. */
export interface CsiVolume {
  readonly driver: string;
  /** The same for all claims of one volume. */
  readonly id: string;
}

/** The driver's volume behind a claim, or the one that will be; undefined when no driver is known. */
export function csiVolume(namespace: string, name: string, lookup: CsiLookup): CsiVolume | undefined {
  const claim = lookup.claim(namespace, name);
  if (!claim) return undefined;
  const { volumeName } = claim.spec;
  const volume = volumeName ? lookup.volume(volumeName) : undefined;
  if (volume) {
    const { csi } = volume.spec;
    return csi && { driver: csi.driver, id: `${csi.driver}/${csi.volumeHandle}` };
  }
  const driver = lookup.storageClass(classNameOf(claim))?.provisioner;
  return driver === undefined ? undefined : { driver, id: `${driver}/claim ${namespace}/${name}` };
}
