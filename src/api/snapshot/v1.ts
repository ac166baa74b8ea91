import type { KubeObject, ResourceType } from '../../machinery/object.ts';

/** The group of the snapshot API of kubernetes-csi/external-snapshotter, which CustomResourceDefinitions bring. */
export const SNAPSHOT_GROUP = 'snapshot.storage.k8s.io';

export interface SnapshotError {
  readonly time?: string;
  readonly message?: string;
}

/** Somebody's wish for a snapshot of a claim's volume, or for one that is there already. */
export interface VolumeSnapshot extends KubeObject {
  readonly spec: {
    readonly source: {
      readonly persistentVolumeClaimName?: string;
      readonly volumeSnapshotContentName?: string;
    };
    readonly volumeSnapshotClassName?: string;
  };
  readonly status?: {
    readonly boundVolumeSnapshotContentName?: string;
    readonly creationTime?: string;
    readonly readyToUse?: boolean;
    readonly restoreSize?: string;
    readonly error?: SnapshotError;
  };
}

export type DeletionPolicy = 'Delete' | 'Retain';

/** A snapshot as its driver has it. */
export interface VolumeSnapshotContent extends KubeObject {
  readonly spec: {
    readonly deletionPolicy: DeletionPolicy;
    readonly driver: string;
    readonly source: { readonly volumeHandle?: string; readonly snapshotHandle?: string };
    readonly sourceVolumeMode?: string;
    readonly volumeSnapshotClassName?: string;
    readonly volumeSnapshotRef: {
      readonly apiVersion?: string;
      readonly kind?: string;
      readonly namespace?: string;
      readonly name?: string;
      readonly uid?: string;
      readonly resourceVersion?: string;
    };
  };
  readonly status?: {
    /** Nanoseconds since the epoch: more than a number holds. */
    readonly creationTime?: number | bigint;
    readonly readyToUse?: boolean;
    /** Bytes. */
    readonly restoreSize?: number;
    readonly snapshotHandle?: string;
    readonly error?: SnapshotError;
  };
}

/** How a driver makes snapshots, and what becomes of them. */
export interface VolumeSnapshotClass extends KubeObject {
  readonly driver: string;
  readonly deletionPolicy: DeletionPolicy;
  readonly parameters?: Readonly<Record<string, string>>;
}

const common = { group: SNAPSHOT_GROUP, version: 'v1', categories: [] } as const;

export const volumesnapshots: ResourceType<VolumeSnapshot> = {
  ...common,
  resource: 'volumesnapshots',
  kind: 'VolumeSnapshot',
  namespaced: true,
  singular: 'volumesnapshot',
  shortNames: ['vs'],
};

export const volumesnapshotcontents: ResourceType<VolumeSnapshotContent> = {
  ...common,
  resource: 'volumesnapshotcontents',
  kind: 'VolumeSnapshotContent',
  namespaced: false,
  singular: 'volumesnapshotcontent',
  shortNames: ['vsc', 'vscs'],
};

export const volumesnapshotclasses: ResourceType<VolumeSnapshotClass> = {
  ...common,
  resource: 'volumesnapshotclasses',
  kind: 'VolumeSnapshotClass',
  namespaced: false,
  singular: 'volumesnapshotclass',
  shortNames: ['vsclass', 'vsclasses'],
};
