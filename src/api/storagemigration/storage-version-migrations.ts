import { invalid, required, type FieldError } from '../../machinery/field-error.ts';
import type { Condition, GroupResource, ObjectMeta } from '../../machinery/meta/v1.gen.ts';
import type { ResourceType } from '../../machinery/object.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';

export interface StorageVersionMigration {
  readonly apiVersion: 'storagemigration.k8s.io/v1beta1';
  readonly kind: 'StorageVersionMigration';
  readonly metadata: ObjectMeta;
  readonly spec: { readonly resource: GroupResource };
  readonly status?: { readonly conditions?: readonly Condition[]; readonly resourceVersion?: string };
}

/** Not served unless asked for, as upstream's. */
export const storageversionmigrations: ResourceType<StorageVersionMigration> = {
  group: 'storagemigration.k8s.io',
  version: 'v1beta1',
  resource: 'storageversionmigrations',
  kind: 'StorageVersionMigration',
  namespaced: false,
  singular: 'storageversionmigration',
  shortNames: [],
  categories: [],
};

/** Orders to write all objects of a resource anew, so that they are stored in its present form. */
export const storageVersionMigrations: ResourceDefinition<StorageVersionMigration> =
  defineResource<StorageVersionMigration>({
    storage: 'v1beta1',
    versions: {
      v1beta1: {
        type: storageversionmigrations,
        schema: 'io.k8s.api.storagemigration.v1beta1.StorageVersionMigration',
      },
    },
    generation: true,
    prepareForCreate(migration) {
      delete migration.status;
    },
    prepareForUpdate(next, old) {
      if (old.status) next.status = structuredClone(old.status) as NonNullable<typeof next.status>;
      else delete next.status;
    },
    status: { validate: validateStatus },
    validate: ({ spec }) =>
      spec.resource.resource === '' ? [required('spec.resource.resource', 'resource is required')] : [],
    validateUpdate: (next, old) =>
      next.spec.resource.group === old.spec.resource.group &&
      next.spec.resource.resource === old.spec.resource.resource
        ? []
        : [invalid('spec.resource', next.spec.resource, 'field is immutable')],
    columns: [nameColumn(), ageColumn()],
  });

function validateStatus(next: StorageVersionMigration, old: StorageVersionMigration): FieldError[] {
  const errors: FieldError[] = [];
  const before = old.status?.resourceVersion ?? '';
  if (before !== '' && next.status?.resourceVersion !== before)
    errors.push(invalid('status.resourceVersion', next.status?.resourceVersion, 'field is immutable'));
  const isTrue = (type: string): boolean =>
    next.status?.conditions?.some((condition) => condition.type === type && condition.status === 'True') ===
    true;
  if (isTrue('Succeeded') && isTrue('Failed'))
    errors.push(
      invalid(
        'status.conditions',
        next.status?.conditions,
        'Both success and failed conditions cannot be true at the same time',
      ),
    );
  return errors;
}
