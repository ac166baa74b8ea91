import type { PersistentVolume, PersistentVolumeClaim } from '../../api/core/v1.gen.ts';
import type { VolumeSnapshot, VolumeSnapshotClass, VolumeSnapshotContent } from '../../api/snapshot/v1.ts';
import type { Live } from '../../machinery/object.ts';

/** Finalizers and annotations by which this controller and those of drivers agree. */
export const marks: Readonly<
  Record<'asSource' | 'bound' | 'contentBound' | 'beingDeleted' | 'beingCreated' | 'defaultClass', string>
> = {
  asSource: 'snapshot.storage.kubernetes.io/volumesnapshot-as-source-protection',
  bound: 'snapshot.storage.kubernetes.io/volumesnapshot-bound-protection',
  contentBound: 'snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection',
  beingDeleted: 'snapshot.storage.kubernetes.io/volumesnapshot-being-deleted',
  beingCreated: 'snapshot.storage.kubernetes.io/volumesnapshot-being-created',
  defaultClass: 'snapshot.storage.kubernetes.io/is-default-class',
};

type Snapshot = Live<VolumeSnapshot>;
type Content = Live<VolumeSnapshotContent>;

export interface SnapshotObservation {
  readonly snapshot: Snapshot;
  /** The content that belongs to it, or that it names. */
  readonly content: Content | undefined;
  readonly claim: Live<PersistentVolumeClaim> | undefined;
  /** That of the claim. */
  readonly volume: Live<PersistentVolume> | undefined;
  readonly classes: readonly VolumeSnapshotClass[];
  /** Whether a volume is being made of the snapshot. */
  readonly isSource: boolean;
  readonly now: string;
}

/** What is to be done for a snapshot; one thing at a time, each of which shows the next. */
export type SnapshotPlan =
  | { readonly do: 'nothing' }
  | { readonly do: 'finalizers'; readonly finalizers: readonly string[] }
  | { readonly do: 'class'; readonly name: string }
  | { readonly do: 'create-content'; readonly content: VolumeSnapshotContent }
  /** The content is told to which snapshot it belongs. */
  | { readonly do: 'bind-content'; readonly content: Content; readonly uid: string }
  | { readonly do: 'mark-content'; readonly content: Content }
  | { readonly do: 'delete-content'; readonly content: Content }
  | {
      readonly do: 'status';
      readonly status: NonNullable<VolumeSnapshot['status']>;
      readonly event?: SnapshotEvent;
    };

export interface SnapshotEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

/** The name of the content that is made for a snapshot. */
export function contentNameOf({ metadata }: Snapshot): string {
  return `snapcontent-${metadata.uid}`;
}

/** Decides about a snapshot as external-snapshotter's common controller. */
export function planSnapshot(seen: SnapshotObservation): SnapshotPlan {
  const { snapshot, content } = seen;
  if (snapshot.metadata.deletionTimestamp !== undefined) return planDeletion(seen);
  const { finalizers = [] } = snapshot.metadata;
  const missing = [marks.asSource, marks.bound].filter((name) => !finalizers.includes(name));
  if (missing.length > 0) return { do: 'finalizers', finalizers: [...finalizers, ...missing] };
  if (content) return planBound(seen, content);
  if (snapshot.status?.boundVolumeSnapshotContentName !== undefined)
    return failed(seen, 'SnapshotContentMissing', 'VolumeSnapshotContent is missing');
  const { volumeSnapshotContentName } = snapshot.spec.source;
  if (volumeSnapshotContentName !== undefined)
    return failed(
      seen,
      'SnapshotContentMissing',
      `VolumeSnapshotContent ${volumeSnapshotContentName} is missing`,
    );
  return planCreation(seen);
}

function planCreation(seen: SnapshotObservation): SnapshotPlan {
  const { snapshot, claim, volume, classes } = seen;
  const { namespace = '', name, uid, resourceVersion } = snapshot.metadata;
  const claimName = snapshot.spec.source.persistentVolumeClaimName ?? '';
  const cannot = (why: string): SnapshotPlan =>
    failed(seen, 'SnapshotContentCreationFailed', `Failed to create snapshot content with error ${why}`);
  if (!claim)
    return cannot(
      `snapshot controller failed to update ${name} on API server: cannot get claim from snapshot: persistentvolumeclaim "${claimName}" not found`,
    );
  if (claim.status?.phase !== 'Bound' || !claim.spec.volumeName)
    return cannot(`the PVC ${claimName} is not yet bound to a PV, will not attempt to take a snapshot`);
  const { csi, volumeMode } = volume?.spec ?? {};
  if (!volume) return cannot(`failed to retrieve PV ${claim.spec.volumeName} from the API server`);
  if (!csi)
    return cannot(`cannot take a snapshot of PV ${volume.metadata.name}: it is no volume of a CSI driver`);
  const className = snapshot.spec.volumeSnapshotClassName;
  if (className === undefined) {
    const fitting = classes.filter(
      ({ driver, metadata }) =>
        driver === csi.driver && metadata.annotations?.[marks.defaultClass] === 'true',
    );
    const [only] = fitting;
    if (only && fitting.length === 1) return { do: 'class', name: only.metadata.name ?? '' };
    const why =
      fitting.length === 0
        ? 'cannot find default snapshot class'
        : `${fitting.length} default snapshot classes were found`;
    return failed(
      seen,
      'SetDefaultSnapshotClassFailed',
      `Failed to set default snapshot class with error ${why}`,
    );
  }
  const held = classes.find(({ metadata }) => metadata.name === className);
  if (!held)
    return cannot(
      `failed to get input parameters to create snapshot ${name}: "volumesnapshotclass.snapshot.storage.k8s.io \\"${className}\\" not found"`,
    );
  if (held.driver !== csi.driver)
    return cannot(
      `the snapshot class ${className} is for driver ${held.driver}, and PV ${volume.metadata.name} is of driver ${csi.driver}`,
    );
  return {
    do: 'create-content',
    content: {
      apiVersion: 'snapshot.storage.k8s.io/v1',
      kind: 'VolumeSnapshotContent',
      metadata: { name: contentNameOf(snapshot), finalizers: [marks.contentBound] },
      spec: {
        deletionPolicy: held.deletionPolicy,
        driver: held.driver,
        source: { volumeHandle: csi.volumeHandle },
        sourceVolumeMode: volumeMode ?? 'Filesystem',
        volumeSnapshotClassName: className,
        volumeSnapshotRef: {
          apiVersion: 'snapshot.storage.k8s.io/v1',
          kind: 'VolumeSnapshot',
          namespace,
          name,
          uid,
          resourceVersion,
        },
      },
    },
  };
}

function planBound(seen: SnapshotObservation, content: Content): SnapshotPlan {
  const { snapshot } = seen;
  const { namespace, name, uid } = snapshot.metadata;
  const reference = content.spec.volumeSnapshotRef;
  const isMeant = reference.name === name && reference.namespace === namespace;
  if (!isMeant || (reference.uid && reference.uid !== uid))
    return failed(
      seen,
      'SnapshotContentMisbound',
      `VolumeSnapshotContent [${content.metadata.name}] is bound to a different snapshot`,
    );
  if (!reference.uid) return { do: 'bind-content', content, uid };
  if (content.metadata.finalizers?.includes(marks.contentBound) !== true)
    return { do: 'mark-content', content };
  const { creationTime, readyToUse = false, restoreSize, error } = content.status ?? {};
  const status = {
    boundVolumeSnapshotContentName: content.metadata.name,
    readyToUse,
    ...(creationTime !== undefined && { creationTime: timeOf(creationTime) }),
    ...(restoreSize !== undefined && { restoreSize: quantityOf(restoreSize) }),
    ...(error && { error }),
  };
  const held = snapshot.status;
  const same =
    held?.boundVolumeSnapshotContentName === status.boundVolumeSnapshotContentName &&
    held.readyToUse === status.readyToUse &&
    held.creationTime === status.creationTime &&
    held.restoreSize === status.restoreSize &&
    held.error?.message === status.error?.message;
  if (same) return { do: 'nothing' };
  const event = eventOf(seen, status);
  return { do: 'status', status, ...(event && { event }) };
}

function eventOf(
  { snapshot }: SnapshotObservation,
  { readyToUse, creationTime }: NonNullable<VolumeSnapshot['status']>,
): SnapshotEvent | undefined {
  const key = `${snapshot.metadata.namespace}/${snapshot.metadata.name}`;
  if (readyToUse && snapshot.status?.readyToUse !== true)
    return { type: 'Normal', reason: 'SnapshotReady', message: `Snapshot ${key} is ready to use.` };
  if (creationTime !== undefined && snapshot.status?.creationTime === undefined)
    return {
      type: 'Normal',
      reason: 'SnapshotCreated',
      message: `Snapshot ${key} was successfully created by the CSI driver.`,
    };
  return undefined;
}

function planDeletion({ snapshot, content, isSource }: SnapshotObservation): SnapshotPlan {
  const { finalizers = [], uid } = snapshot.metadata;
  if (isSource) return { do: 'nothing' };
  const isOwn = content !== undefined && content.spec.volumeSnapshotRef.uid === uid;
  if (isOwn && content.spec.deletionPolicy === 'Delete') {
    if (content.metadata.annotations?.[marks.beingDeleted] !== 'yes') return { do: 'mark-content', content };
    if (content.metadata.deletionTimestamp === undefined) return { do: 'delete-content', content };
    return { do: 'nothing' };
  }
  const kept = finalizers.filter((name) => name !== marks.asSource && name !== marks.bound);
  return kept.length === finalizers.length ? { do: 'nothing' } : { do: 'finalizers', finalizers: kept };
}

function failed({ snapshot, now }: SnapshotObservation, reason: string, message: string): SnapshotPlan {
  if (snapshot.status?.error?.message === message) return { do: 'nothing' };
  return {
    do: 'status',
    status: { ...snapshot.status, readyToUse: false, error: { time: now, message } },
    event: { type: 'Warning', reason, message },
  };
}

/** Nanoseconds since the epoch as the API writes a time. */
function timeOf(nanoseconds: number | bigint): string {
  return `${new Date(Math.floor(Number(nanoseconds) / 1e6)).toISOString().slice(0, 19)}Z`;
}

const units = ['Ei', 'Pi', 'Ti', 'Gi', 'Mi', 'Ki'] as const;

/** Bytes as a quantity writes them: with the largest binary unit that needs no fraction. */
function quantityOf(bytes: number): string {
  for (const [position, unit] of units.entries()) {
    const size = 1024 ** (units.length - position);
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return String(bytes);
}
