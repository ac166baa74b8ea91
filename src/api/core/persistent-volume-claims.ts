import { mutableCopy } from '../../machinery/mutable-copy.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { parseQuantity } from '../../machinery/quantity.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { type ResourceDefinition, defineResource } from '../resource.ts';
import { printAccessModes } from './access-modes.ts';
import {
  validateClaim,
  validateClaimStatus,
  validateClaimUpdate,
} from './persistent-volume-claim-validation.ts';
import { defaultClaimSpec } from './pod-spec/volume-defaults.ts';
import {
  type PersistentVolumeClaim,
  type PersistentVolumeClaimSpec,
  persistentvolumeclaims,
} from './v1.gen.ts';

const betaClass = 'volume.beta.kubernetes.io/storage-class';

/** Requests for storage. */
export const persistentVolumeClaims: ResourceDefinition<PersistentVolumeClaim> =
  defineResource<PersistentVolumeClaim>({
    storage: 'v1',
    versions: {
      v1: {
        type: persistentvolumeclaims,
        schema: 'io.k8s.api.core.v1.PersistentVolumeClaim',
        defaults: defaultClaim,
      },
    },
    prepareForCreate(claim) {
      claim.status = { phase: 'Pending' };
      settleDataSources(claim.spec, undefined);
    },
    prepareForUpdate(next, old) {
      next.status = mutableCopy(old.status ?? {});
      settleDataSources(next.spec, old.spec);
    },
    validate: validateClaim,
    validateUpdate: validateClaimUpdate,
    warnings,
    returnsDeleted: true,
    status: {
      prepare(next, old) {
        next.spec = mutableCopy(old.spec);
      },
      validate: validateClaimStatus,
    },
    selectableFields: { name: ({ metadata }) => metadata.name ?? '' },
    columns: [
      nameColumn(),
      {
        name: 'Status',
        type: 'string',
        cell: ({ metadata, status }) => (metadata.deletionTimestamp ? 'Terminating' : (status?.phase ?? '')),
      },
      { name: 'Volume', type: 'string', cell: ({ spec }) => spec.volumeName ?? '' },
      {
        name: 'Capacity',
        type: 'string',
        cell: ({ spec, status }) => (spec.volumeName ? (status?.capacity?.['storage'] ?? '0') : ''),
      },
      {
        name: 'Access Modes',
        type: 'string',
        cell: ({ spec, status }) => (spec.volumeName ? printAccessModes(status?.accessModes) : ''),
      },
      {
        name: 'StorageClass',
        type: 'string',
        cell: ({ metadata, spec }) => metadata.annotations?.[betaClass] ?? spec.storageClassName ?? '',
      },
      {
        name: 'VolumeAttributesClass',
        type: 'string',
        cell: ({ spec }) => spec.volumeAttributesClassName ?? '<unset>',
      },
      ageColumn(),
      { name: 'VolumeMode', type: 'string', priority: 1, cell: ({ spec }) => spec.volumeMode ?? '<unset>' },
    ],
  });

function defaultClaim(claim: DeepMutable<PersistentVolumeClaim>): void {
  claim.spec ??= {};
  defaultClaimSpec(claim.spec);
  claim.status ??= {};
  claim.status.phase ||= 'Pending';
}

/** `dataSource` and `dataSourceRef` say the same; a source of a kind that only the newer field allows is dropped. */
function settleDataSources(
  spec: DeepMutable<PersistentVolumeClaimSpec>,
  old: PersistentVolumeClaimSpec | undefined,
): void {
  if (spec.dataSourceRef?.namespace && !old?.dataSourceRef) delete spec.dataSourceRef;
  if (!old?.dataSource && !old?.dataSourceRef && !spec.dataSourceRef && !isKnownSource(spec)) {
    delete spec.dataSource;
  }
  const { dataSource, dataSourceRef } = spec;
  if (dataSource && !dataSourceRef) spec.dataSourceRef = { ...dataSource };
  else if (dataSourceRef && !dataSource && !dataSourceRef.namespace) {
    const { namespace: _none, ...local } = dataSourceRef;
    spec.dataSource = local;
  }
}

function isKnownSource({ dataSource }: PersistentVolumeClaimSpec): boolean {
  if (dataSource?.kind === 'PersistentVolumeClaim') return !dataSource.apiGroup;
  return dataSource?.kind === 'VolumeSnapshot' && dataSource.apiGroup === 'snapshot.storage.k8s.io';
}

function warnings({ metadata, spec }: PersistentVolumeClaim): string[] {
  const found: string[] = [];
  if (metadata.annotations?.[betaClass] !== undefined) {
    found.push(
      `metadata.annotations[${betaClass}]: deprecated since v1.8; use "storageClassName" attribute instead`,
    );
  }
  for (const list of ['requests', 'limits'] as const) {
    const value = spec.resources?.[list]?.['storage'];
    if (value === undefined || parseQuantity(value).nanos % 1_000_000_000n === 0n) continue;
    found.push(
      `spec.resources.${list}[storage]: fractional byte value "${value}" is invalid, must be an integer`,
    );
  }
  return found;
}
