import { type FieldError, forbidden, required } from '../../machinery/field-error.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { validateImmutable } from '../../machinery/validation/object-meta.ts';
import { qualifiedNameErrors } from '../../machinery/validation/names.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { invalidEach } from '../core/pod-spec/invalid-each.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { isDefaultClass, validateParameters } from './storage-classes.ts';
import { type VolumeAttributesClass, volumeattributesclasses } from './v1.gen.ts';

/** Properties of volumes that a driver can change while they are in use. */
export const volumeAttributesClasses: ResourceDefinition<VolumeAttributesClass> =
  defineResource<VolumeAttributesClass>({
    storage: 'v1',
    versions: {
      v1: { type: volumeattributesclasses, schema: 'io.k8s.api.storage.v1.VolumeAttributesClass' },
    },
    unconditionalUpdate: false,
    returnsDeleted: true,
    validate,
    validateUpdate: (next, old) => [
      ...validate(next),
      ...validateImmutable(next.driverName, old.driverName, 'driverName'),
      ...(jsonEqual(next.parameters ?? {}, old.parameters ?? {})
        ? []
        : [forbidden('parameters', 'updates to parameters are forbidden.')]),
    ],
    columns: [
      {
        ...nameColumn<VolumeAttributesClass>(),
        cell: ({ metadata }) =>
          isDefaultClass(metadata.annotations) ? `${metadata.name ?? ''} (default)` : (metadata.name ?? ''),
      },
      { name: 'DriverName', type: 'string', cell: ({ driverName }) => driverName },
      ageColumn(),
    ],
  });

function validate({ driverName, parameters }: VolumeAttributesClass): FieldError[] {
  return [
    ...(driverName
      ? invalidEach('driverName', driverName, qualifiedNameErrors(driverName.toLowerCase()))
      : [required('driverName')]),
    ...validateParameters(parameters ?? {}, 'some'),
  ];
}
