import type { DeepMutable } from '../../machinery/object.ts';
import { roundResources } from './pod-spec/resource-rounding.ts';
import type { PersistentVolumeSpec } from './v1.gen.ts';

/** Sets the defaults of what a volume is, as a volume of its own or within an attachment. */
export function defaultPersistentVolumeSpec(spec: DeepMutable<PersistentVolumeSpec>): void {
  const { hostPath, iscsi, rbd, scaleIO, azureDisk } = spec;
  spec.volumeMode ??= 'Filesystem';
  roundResources(spec.capacity);
  if (hostPath) hostPath.type ??= '';
  if (iscsi) {
    iscsi.iscsiInterface ||= 'default';
    iscsi.lun ??= 0;
  }
  if (rbd) {
    rbd.pool ||= 'rbd';
    rbd.user ||= 'admin';
    rbd.keyring ||= '/etc/ceph/keyring';
  }
  if (scaleIO) {
    scaleIO.storageMode ||= 'ThinProvisioned';
    scaleIO.fsType ||= 'xfs';
  }
  if (azureDisk) {
    azureDisk.cachingMode ??= 'ReadWrite';
    azureDisk.kind ??= 'Shared';
    azureDisk.fsType ??= 'ext4';
    azureDisk.readOnly ??= false;
  }
}
