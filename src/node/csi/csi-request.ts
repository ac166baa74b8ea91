import { createHash } from 'node:crypto';
import type {
  CSIVolumeSource,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  SecretReference,
} from '../../api/core/v1.gen.ts';
import type { CSIDriver } from '../../api/storage/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { nodeAbility, type StringMap, type VolumeCapability } from './csi-protocol.ts';

/** A volume of a CSI driver as a pod asks for it. */
export interface CsiMount {
  /** The volume's name in the pod's folder: that of the PersistentVolume, or the pod's own name for it. */
  readonly name: string;
  readonly driver: string;
  readonly handle: string;
  readonly lifecycle: 'Persistent' | 'Ephemeral';
  readonly readOnly: boolean;
  readonly fsType: string;
  readonly accessMode: string;
  readonly mountOptions: readonly string[];
  readonly attributes: StringMap;
  readonly stageSecret?: SecretReference;
  readonly publishSecret?: SecretReference;
  readonly expandSecret?: SecretReference;
  /** What the volume's size is to be, where the claim waits for the node to make it so. */
  readonly growTo?: string;
}

/** What a persistent volume of a driver asks of the node; undefined for volumes of another kind. */
export function persistentMount(
  { metadata, spec }: Live<PersistentVolume>,
  claim: Live<PersistentVolumeClaim>,
): CsiMount | undefined {
  const { csi } = spec;
  if (!csi) return undefined;
  const waits = waitsForNode(claim);
  const capacity = spec.capacity?.['storage'];
  return {
    name: metadata.name,
    driver: csi.driver,
    handle: csi.volumeHandle,
    lifecycle: 'Persistent',
    readOnly: csi.readOnly === true,
    fsType: csi.fsType ?? '',
    accessMode: spec.accessModes?.[0] ?? 'ReadWriteOnce',
    mountOptions: spec.mountOptions ?? [],
    attributes: csi.volumeAttributes ?? {},
    ...(csi.nodeStageSecretRef && { stageSecret: csi.nodeStageSecretRef }),
    ...(csi.nodePublishSecretRef && { publishSecret: csi.nodePublishSecretRef }),
    ...(csi.nodeExpandSecretRef && { expandSecret: csi.nodeExpandSecretRef }),
    ...(waits && capacity !== undefined && { growTo: capacity }),
  };
}

/** Whether the volume of a claim has grown, but for the part that its node does. */
export function waitsForNode(claim: PersistentVolumeClaim | undefined): boolean {
  const conditions = claim?.status?.conditions ?? [];
  return conditions.some(({ type, status }) => type === 'FileSystemResizePending' && status === 'True');
}

/** What a volume written into a pod asks of the node; its handle is made of the pod's identity. */
export function inlineMount(pod: Pod, name: string, source: CSIVolumeSource): CsiMount {
  const { uid = '', namespace = '' } = pod.metadata;
  const secret = source.nodePublishSecretRef?.name;
  return {
    name,
    driver: source.driver,
    handle: `csi-${createHash('sha256').update(`${uid}${name}`).digest('hex')}`,
    lifecycle: 'Ephemeral',
    readOnly: source.readOnly === true,
    fsType: source.fsType ?? '',
    accessMode: 'ReadWriteOnce',
    mountOptions: [],
    attributes: source.volumeAttributes ?? {},
    ...(secret !== undefined && { publishSecret: { namespace, name: secret } }),
  };
}

/** Numbers of the protocol's access modes. */
const single = { writer: 1, readerOnly: 2, singleWriter: 6, multiWriter: 7 } as const;
const multi = { readerOnly: 3, multiWriter: 5 } as const;

/** How the driver is to offer the volume. */
export function capabilityOf(
  { accessMode, fsType, mountOptions }: CsiMount,
  abilities: ReadonlySet<number>,
  group: number | undefined,
): VolumeCapability {
  const passesGroup = group !== undefined && abilities.has(nodeAbility.mountGroup);
  return {
    mount: {
      fs_type: fsType,
      mount_flags: mountOptions,
      ...(passesGroup && { volume_mount_group: String(group) }),
    },
    access_mode: { mode: modeNumber(accessMode, abilities.has(nodeAbility.singleNodeMultiWriter)) },
  };
}

function modeNumber(mode: string, distinguishesWriters: boolean): number {
  if (mode === 'ReadOnlyMany') return multi.readerOnly;
  if (mode === 'ReadWriteMany') return multi.multiWriter;
  if (!distinguishesWriters) return single.writer;
  return mode === 'ReadWriteOncePod' ? single.singleWriter : single.multiWriter;
}

/** What the driver is told of the pod, where its CSIDriver object asks for that. */
export function podContext(
  pod: Pod,
  lifecycle: CsiMount['lifecycle'],
  driver: CSIDriver | undefined,
): StringMap {
  if (driver?.spec.podInfoOnMount !== true) return {};
  const { name = '', namespace = '', uid = '' } = pod.metadata;
  return {
    'csi.storage.k8s.io/pod.name': name,
    'csi.storage.k8s.io/pod.namespace': namespace,
    'csi.storage.k8s.io/pod.uid': uid,
    'csi.storage.k8s.io/serviceAccount.name': pod.spec?.serviceAccountName ?? '',
    'csi.storage.k8s.io/ephemeral': String(lifecycle === 'Ephemeral'),
  };
}

/** Whether the node is to give the volume's files to the pod's group. */
export function takesGroup(
  { fsType, accessMode, readOnly }: CsiMount,
  driver: CSIDriver | undefined,
): boolean {
  const policy = driver?.spec.fsGroupPolicy ?? 'ReadWriteOnceWithFSType';
  if (policy === 'None' || readOnly) return false;
  return policy === 'File' || (fsType !== '' && accessMode === 'ReadWriteOnce');
}
