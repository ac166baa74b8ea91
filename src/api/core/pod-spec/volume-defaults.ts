import type { DeepMutable } from '../../../machinery/object.ts';
import type {
  DownwardAPIVolumeFile,
  PersistentVolumeClaimSpec,
  PersistentVolumeSpec,
  Volume,
} from '../v1.gen.ts';
import { defaultPullPolicy } from './image-reference.ts';
import { roundResources } from './resource-rounding.ts';

const readWriteForOwner = 0o644;

function defaultFiles(files: DeepMutable<DownwardAPIVolumeFile>[] | undefined): void {
  for (const file of files ?? []) {
    if (file.fieldRef) file.fieldRef.apiVersion ||= 'v1';
    if (file.resourceFieldRef) file.resourceFieldRef.divisor ??= '0';
  }
}

/** Sets the defaults of a claim, stand-alone or in an ephemeral volume's template. */
export function defaultClaimSpec(spec: DeepMutable<PersistentVolumeClaimSpec>): void {
  spec.volumeMode ??= 'Filesystem';
  spec.resources ??= {};
  roundResources(spec.resources.limits);
  roundResources(spec.resources.requests);
}

type RemoteDisk =
  | Pick<DeepMutable<Volume>, 'azureDisk' | 'iscsi' | 'rbd' | 'scaleIO'>
  | Pick<DeepMutable<PersistentVolumeSpec>, 'azureDisk' | 'iscsi' | 'rbd' | 'scaleIO'>;

/** Sets the defaults of disks elsewhere, as a volume of a pod or as a persistent one. */
export function defaultRemoteDisk({ azureDisk, iscsi, rbd, scaleIO }: RemoteDisk): void {
  if (azureDisk) {
    azureDisk.cachingMode ??= 'ReadWrite';
    azureDisk.kind ??= 'Shared';
    azureDisk.fsType ??= 'ext4';
    azureDisk.readOnly ??= false;
  }
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
}

/** Sets the defaults of one pod volume; a volume without a source becomes an emptyDir. */
export function defaultVolume(volume: DeepMutable<Volume>): void {
  if (Object.keys(volume).every((key) => key === 'name')) volume.emptyDir = {};
  const { secret, configMap, downwardAPI, projected, hostPath, ephemeral, image } = volume;
  if (secret) secret.defaultMode ??= readWriteForOwner;
  if (configMap) configMap.defaultMode ??= readWriteForOwner;
  if (downwardAPI) {
    downwardAPI.defaultMode ??= readWriteForOwner;
    defaultFiles(downwardAPI.items);
  }
  if (projected) {
    projected.defaultMode ??= readWriteForOwner;
    for (const source of projected.sources ?? []) {
      if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= 3600;
      defaultFiles(source.downwardAPI?.items);
    }
  }
  if (hostPath) hostPath.type ??= '';
  if (ephemeral?.volumeClaimTemplate) {
    ephemeral.volumeClaimTemplate.spec ??= {};
    defaultClaimSpec(ephemeral.volumeClaimTemplate.spec);
  }
  if (image) image.pullPolicy ||= defaultPullPolicy(image.reference ?? '');
  defaultRemoteDisk(volume);
}
