import { createHash } from 'node:crypto';

/** A volume of a CSI driver as it is attached to nodes. */
export interface CsiVolume {
  /** The PersistentVolume's name. */
  readonly name: string;
  readonly driver: string;
  readonly handle: string;
  /** Whether only one node may have it at a time. */
  readonly exclusive: boolean;
}

/** The name of the VolumeAttachment of a volume on a node, which nodes compute too. */
export function attachmentName(
  { driver, handle }: Pick<CsiVolume, 'driver' | 'handle'>,
  node: string,
): string {
  return `csi-${createHash('sha256').update(`${handle}${driver}${node}`).digest('hex')}`;
}

/** How `status.volumesAttached` and `volumesInUse` of nodes name a volume. */
export function uniqueVolumeName({ driver, handle }: Pick<CsiVolume, 'driver' | 'handle'>): string {
  return `kubernetes.io/csi/${driver}^${handle}`;
}
