import type { PersistentVolume, PersistentVolumeClaim } from '../../api/core/v1.gen.ts';
import type { StorageClass } from '../../api/storage/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { parseQuantity, quantityValue } from '../../machinery/quantity.ts';
import { LOCAL_DRIVER, onMachine } from './local-driver.ts';
import type { LocalLayout } from './local-volumes.ts';

const SELECTED_NODE = 'volume.kubernetes.io/selected-node';
const provisionerAnnotations = [
  'volume.kubernetes.io/storage-provisioner',
  'volume.beta.kubernetes.io/storage-provisioner',
];
const CLASS_ANNOTATION = 'volume.beta.kubernetes.io/storage-class';

/** What the volume of a claim is to begin with, as the claim says it. */
export type WantedSource =
  | { readonly kind: 'volume'; readonly claim: string }
  | { readonly kind: 'snapshot'; readonly snapshot: string }
  /** Somebody else fills such volumes (a populator): none is made here. */
  | { readonly kind: 'foreign' };

/** What is to be done for a claim. */
export type ProvisionPlan =
  | { readonly do: 'nothing' }
  /** The node that the scheduler chose is gone: it has to choose again. */
  | { readonly do: 'reschedule' }
  | { readonly do: 'fail'; readonly message: string }
  | {
      readonly do: 'provision';
      readonly layout: LocalLayout;
      readonly sizeBytes: number;
      readonly source?: Exclude<WantedSource, { kind: 'foreign' }>;
      readonly volume: PersistentVolume;
    };

export interface ProvisionObservation {
  readonly claim: Live<PersistentVolumeClaim>;
  readonly machine: string;
  /** Where the machine keeps its volumes; shown to people. */
  readonly directory: string;
  storageClass(name: string): StorageClass | undefined;
  /** The machine of a node; undefined when there is no such node. */
  machineOf(node: string): string | undefined;
}

/** Name of the storage class that a claim names; '' for none. */
export function classOfClaim({ metadata, spec }: PersistentVolumeClaim): string {
  return metadata.annotations?.[CLASS_ANNOTATION] ?? spec.storageClassName ?? '';
}

/** Decides about a claim as the provisioner library of sig-storage: only what the binder has handed to this driver. */
export function planProvision(observation: ProvisionObservation): ProvisionPlan {
  const { claim, machine, storageClass, machineOf } = observation;
  const { annotations = {}, deletionTimestamp } = claim.metadata;
  const isOurs = provisionerAnnotations.some((name) => annotations[name] === LOCAL_DRIVER);
  if (claim.spec.volumeName || deletionTimestamp !== undefined || !isOurs) return { do: 'nothing' };
  const held = storageClass(classOfClaim(claim));
  if (held?.provisioner !== LOCAL_DRIVER) return { do: 'nothing' };
  const node = annotations[SELECTED_NODE];
  if (node === undefined && held.volumeBindingMode === 'WaitForFirstConsumer') return { do: 'nothing' };
  if (node !== undefined) {
    const where = machineOf(node);
    if (where === undefined) return { do: 'reschedule' };
    if (where !== machine) return { do: 'nothing' };
  }
  const source = sourceOf(claim);
  if (source?.kind === 'foreign') return { do: 'nothing' };
  const layout = layoutOf(claim, held);
  if (typeof layout !== 'string') return { do: 'fail', message: layout.problem };
  const requested = claim.spec.resources?.requests?.['storage'] ?? '0';
  return {
    do: 'provision',
    layout,
    sizeBytes: Number(quantityValue(parseQuantity(requested))),
    ...(source && { source }),
    volume: volumeFor(observation, held, { layout, capacity: requested }),
  };
}

/** The source that a claim names, if any. */
export function sourceOf({ spec }: PersistentVolumeClaim): WantedSource | undefined {
  const source = spec.dataSourceRef ?? spec.dataSource;
  if (!source) return undefined;
  const { apiGroup, kind, name } = source;
  if (spec.dataSourceRef?.namespace !== undefined) return { kind: 'foreign' };
  if (!apiGroup && kind === 'PersistentVolumeClaim') return { kind: 'volume', claim: name };
  if (apiGroup === 'snapshot.storage.k8s.io' && kind === 'VolumeSnapshot')
    return { kind: 'snapshot', snapshot: name };
  return { kind: 'foreign' };
}

function layoutOf(
  { spec }: PersistentVolumeClaim,
  { parameters = {} }: StorageClass,
): LocalLayout | { readonly problem: string } {
  for (const [name, value] of Object.entries(parameters)) {
    if (name === 'csi.storage.k8s.io/fstype' && value === 'ext4') continue;
    if (name === 'layout' && (value === 'directory' || value === 'disk')) continue;
    return {
      problem: `parameter ${name}=${value} of the storage class is unknown: layout=directory and layout=disk are known`,
    };
  }
  if (spec.volumeMode === 'Block') return 'block';
  return parameters['layout'] === 'disk' ? 'disk' : 'directory';
}

function volumeFor(
  { claim, machine, directory }: ProvisionObservation,
  storageClass: StorageClass,
  { layout, capacity }: { readonly layout: LocalLayout; readonly capacity: string },
): PersistentVolume {
  const { namespace = '', name, uid, resourceVersion } = claim.metadata;
  const handle = `pvc-${uid}`;
  const { mountOptions } = storageClass;
  const reclaimPolicy = storageClass.reclaimPolicy === 'Retain' ? 'Retain' : 'Delete';
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: {
      name: handle,
      annotations: { 'pv.kubernetes.io/provisioned-by': LOCAL_DRIVER },
      ...(reclaimPolicy === 'Delete' && { finalizers: [DELETION_FINALIZER] }),
    },
    spec: {
      accessModes: claim.spec.accessModes ?? [],
      capacity: { storage: capacity },
      claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid, resourceVersion },
      csi: {
        driver: LOCAL_DRIVER,
        volumeHandle: handle,
        volumeAttributes: { layout, path: `${directory}/volumes/${handle}` },
      },
      nodeAffinity: onMachine(machine),
      persistentVolumeReclaimPolicy: reclaimPolicy,
      storageClassName: classOfClaim(claim),
      volumeMode: claim.spec.volumeMode ?? 'Filesystem',
      ...(mountOptions && { mountOptions }),
    },
  };
}

/** Keeps a volume that is deleted before its claim until its data is gone, too. */
export const DELETION_FINALIZER = 'external-provisioner.volume.kubernetes.io/finalizer';
