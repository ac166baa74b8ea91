import { timestamp } from '../../base/clock.ts';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { type ResourceDefinition, defineResource } from '../resource.ts';
import { printAccessModes } from './access-modes.ts';
import { defaultPersistentVolumeSpec } from './persistent-volume-defaults.ts';
import { validatePersistentVolume, validatePersistentVolumeUpdate } from './persistent-volume-validation.ts';
import { persistentVolumeWarnings } from './persistent-volume-warnings.ts';
import { type PersistentVolume, persistentvolumes } from './v1.gen.ts';

const betaClassAnnotation = 'volume.beta.kubernetes.io/storage-class';

/** Pieces of storage that claims are bound to. */
export const persistentVolumes: ResourceDefinition<PersistentVolume> = defineResource<PersistentVolume>({
  storage: 'v1',
  versions: {
    v1: { type: persistentvolumes, schema: 'io.k8s.api.core.v1.PersistentVolume', defaults: defaultVolume },
  },
  prepareForCreate(volume, { now }) {
    volume.status = { phase: 'Pending', lastPhaseTransitionTime: timestamp(now) };
  },
  prepareForUpdate(next, old) {
    next.status = mutableCopy(old.status ?? {});
  },
  validate: validatePersistentVolume,
  validateUpdate: validatePersistentVolumeUpdate,
  returnsDeleted: true,
  warnings: persistentVolumeWarnings,
  status: {
    prepare(next, old, { now }) {
      next.spec = mutableCopy(old.spec);
      const status = (next.status ??= {});
      if (status.phase === old.status?.phase) {
        const before = old.status?.lastPhaseTransitionTime;
        if (before !== undefined) status.lastPhaseTransitionTime ??= before;
      } else if (
        status.lastPhaseTransitionTime === undefined ||
        status.lastPhaseTransitionTime === old.status?.lastPhaseTransitionTime
      ) {
        status.lastPhaseTransitionTime = timestamp(now);
      }
    },
  },
  selectableFields: { name: ({ metadata }) => metadata.name ?? '' },
  columns: [
    nameColumn(),
    { name: 'Capacity', type: 'string', cell: ({ spec }) => spec.capacity?.['storage'] ?? '0' },
    { name: 'Access Modes', type: 'string', cell: ({ spec }) => printAccessModes(spec.accessModes) },
    { name: 'Reclaim Policy', type: 'string', cell: ({ spec }) => spec.persistentVolumeReclaimPolicy ?? '' },
    {
      name: 'Status',
      type: 'string',
      cell: ({ metadata, status }) => (metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? '')),
    },
    {
      name: 'Claim',
      type: 'string',
      cell: ({ spec: { claimRef } }) =>
        claimRef ? `${claimRef.namespace ?? ''}/${claimRef.name ?? ''}` : '',
    },
    {
      name: 'StorageClass',
      type: 'string',
      cell: ({ metadata, spec }) =>
        metadata.annotations?.[betaClassAnnotation] ?? spec.storageClassName ?? '',
    },
    {
      name: 'VolumeAttributesClass',
      type: 'string',
      cell: ({ spec }) => spec.volumeAttributesClassName ?? '<unset>',
    },
    { name: 'Reason', type: 'string', cell: ({ status }) => status?.reason ?? '' },
    ageColumn(),
    { name: 'VolumeMode', type: 'string', priority: 1, cell: ({ spec }) => spec.volumeMode ?? '<unset>' },
  ],
});

function defaultVolume(volume: DeepMutable<PersistentVolume>): void {
  volume.spec ??= {};
  defaultPersistentVolumeSpec(volume.spec);
  volume.spec.persistentVolumeReclaimPolicy ??= 'Retain';
  volume.status ??= {};
  volume.status.phase ||= 'Pending';
}
