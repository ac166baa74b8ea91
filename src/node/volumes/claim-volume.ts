import { stat } from 'node:fs/promises';
import {
  persistentvolumeclaims,
  persistentvolumes,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
  type Volume,
} from '../../api/core/v1.gen.ts';
import type { Client, ObjectRef, ResourceClient } from '../../client/client.ts';
import type { KubeObject, Live } from '../../machinery/object.ts';
import { unlessGone } from '../../machinery/unless-gone.ts';
import { persistentMount } from '../csi/csi-request.ts';
import type { CsiVolumes } from '../csi/csi-volumes.ts';
import { LOCAL_DRIVER } from '../local-storage/local-driver.ts';
import type { LocalVolumeUse } from '../local-storage/local-volumes.ts';
import { isMissing } from '../missing-file.ts';
import { giveToGroup } from './fs-group.ts';
import { setUpHostPath } from './host-path.ts';
import { VolumeError } from './volume-error.ts';

/** Reads the claims of one namespace and the volumes they are bound to; undefined for what does not exist. */
export interface ClaimReader {
  claim(name: string): Promise<Live<PersistentVolumeClaim> | undefined>;
  volume(name: string): Promise<Live<PersistentVolume> | undefined>;
  /** The volumes that the machine itself keeps; absent where it keeps none. */
  readonly localVolumes?: LocalVolumeUse;
  /** The node's directory, which is what it calls `/var/lib/kubelet`. */
  readonly nodeDirectory: string;
  /** Those of drivers; absent where none can register. */
  readonly csi?: Pick<CsiVolumes, 'publish' | 'unpublish' | 'stats'>;
}

/** A volume that can be mounted into containers. */
export interface MountedVolume {
  readonly path: string;
  readonly readOnly: boolean;
  /** When it has to be set up again, for what its driver wants to renew. */
  readonly republishMs?: number;
  /** Whether a CSI driver has mounted it. */
  readonly byDriver?: boolean;
  /** Whether it is a device rather than a folder. */
  readonly isBlock?: boolean;
}

/** The {@link ClaimReader} that asks the API server each time. */
export function createClaimReader(client: Client, namespace: string): Pick<ClaimReader, 'claim' | 'volume'> {
  return {
    claim: (name) => find(client.for(persistentvolumeclaims), { namespace, name }),
    volume: (name) => find(client.for(persistentvolumes), { name }),
  };
}

async function find<T extends KubeObject>(
  resource: ResourceClient<T>,
  ref: ObjectRef,
): Promise<Live<T> | undefined> {
  return await unlessGone(resource.get(ref));
}

/** Which claim a volume of a pod stands for, if any. */
export function claimNameOf(
  { metadata }: Pod,
  { name, persistentVolumeClaim, ephemeral }: Volume,
): string | undefined {
  return persistentVolumeClaim?.claimName ?? (ephemeral && `${metadata.name ?? ''}-${name}`);
}

/**
 * The directory of the volume that a claim is bound to: of those that need no driver, directories of the node. Throws
 * `VolumeError` as long as the claim cannot be used.
 */
export async function setUpClaim(
  pod: Pod,
  { name: claimName, made, access }: ClaimUse,
  reader: ClaimReader,
): Promise<MountedVolume> {
  const key = `${pod.metadata.namespace ?? ''}/${claimName}`;
  const problem = (why: string): VolumeError => new VolumeError(`error processing PVC ${key}: ${why}`);
  const claim = await reader.claim(claimName);
  if (!claim)
    throw problem(`failed to fetch PVC from API server: persistentvolumeclaims "${claimName}" not found`);
  if (made === 'for the pod' && !claim.metadata.ownerReferences?.some(({ uid }) => uid === pod.metadata.uid))
    throw problem(
      `PVC "${key}" was not created for pod "${pod.metadata.namespace}/${pod.metadata.name}" (pod is not owner)`,
    );
  if (claim.metadata.deletionTimestamp !== undefined) throw problem('PVC is being deleted');
  const { volumeName } = claim.spec;
  if (claim.status?.phase !== 'Bound' || !volumeName) throw problem('PVC is not bound');
  const volume = await reader.volume(volumeName);
  if (!volume)
    throw problem(
      `failed to fetch PV "${volumeName}" from API server: persistentvolumes "${volumeName}" not found`,
    );
  if (volume.spec.claimRef?.uid !== claim.metadata.uid)
    throw problem(`PV "${volumeName}" is bound to another claim`);
  const mount = persistentMount(volume, claim);
  if (mount && mount.driver !== LOCAL_DRIVER && reader.csi) {
    if (volume.spec.volumeMode === 'Block') throw blockUnsupported();
    const readOnly = mount.readOnly || access === 'read-only';
    return { ...(await reader.csi.publish(pod, { ...mount, readOnly }, claimName)), byDriver: true };
  }
  return {
    path: await directoryOf(volume, pod, reader),
    readOnly: access === 'read-only' || mount?.readOnly === true,
    isBlock: volume.spec.volumeMode === 'Block',
  };
}

/** How a pod uses a claim. */
export interface ClaimUse {
  readonly name: string;
  readonly made: 'by a person' | 'for the pod';
  readonly access?: 'read-only';
}

async function directoryOf(
  { metadata, spec }: Live<PersistentVolume>,
  pod: Pod,
  { localVolumes, nodeDirectory }: ClaimReader,
): Promise<string> {
  const isBlock = spec.volumeMode === 'Block';
  const { fsGroup, fsGroupChangePolicy } = pod.spec?.securityContext ?? {};
  const group = isBlock ? undefined : fsGroup;
  if (spec.hostPath) return setUpHostPath(spec.hostPath, nodeDirectory);
  if (spec.local) {
    await requirePath(spec.local.path, isBlock ? 'a block device' : 'a path');
    if (group !== undefined) await giveToGroup(spec.local.path, group, fsGroupChangePolicy);
    return spec.local.path;
  }
  if (spec.csi?.driver === LOCAL_DRIVER && localVolumes) {
    const path = await localVolumes.publish(spec.csi.volumeHandle, pod.metadata.uid ?? '');
    if (group !== undefined) await giveToGroup(path, group, fsGroupChangePolicy);
    return path;
  }
  if (spec.csi)
    throw new VolumeError(
      `kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: driver name ${spec.csi.driver} not found in the list of registered CSI drivers`,
    );
  const plugin = Object.keys(spec).find((member) => !settings.has(member)) ?? 'unknown';
  throw new VolumeError(`no volume plugin matched name: kubernetes.io/${plugin} (volume ${metadata.name})`);
}

/** The members of a volume's spec that say nothing about where it is. */
const settings: ReadonlySet<string> = new Set([
  'accessModes',
  'capacity',
  'claimRef',
  'mountOptions',
  'nodeAffinity',
  'persistentVolumeReclaimPolicy',
  'storageClassName',
  'volumeAttributesClassName',
  'volumeMode',
]);

async function requirePath(path: string, what: 'a path' | 'a block device'): Promise<void> {
  try {
    const isDevice = (await stat(path)).isBlockDevice();
    if (what === 'a block device' && !isDevice) throw new VolumeError(`path "${path}" is not a block device`);
  } catch (error) {
    if (isMissing(error)) throw new VolumeError(`path "${path}" does not exist`, { cause: error });
    throw error;
  }
}

function blockUnsupported(): VolumeError {
  return new VolumeError('volumes of mode Block are not supported on this node');
}
