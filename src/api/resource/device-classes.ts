import { type FieldError, invalid } from '../../machinery/field-error.ts';
import { jsonEqual } from '../../machinery/patch/json-value.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { isExtendedResource } from '../core/pod-spec/resource-names.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { validateItems } from './collections.ts';
import { validateConfiguration } from './device-claim-validation.ts';
import { validateSelectors } from './device-selector.ts';
import { type DeviceClass, type DeviceClassSpec, deviceclasses } from './v1.gen.ts';

const MAX_CONFIG = 32;

/** Kinds of devices that claims ask for by name. */
export const deviceClasses: ResourceDefinition<DeviceClass> = defineResource<DeviceClass>({
  storage: 'v1',
  versions: { v1: { type: deviceclasses, schema: 'io.k8s.api.resource.v1.DeviceClass' } },
  generation: true,
  returnsDeleted: true,
  validate: ({ spec }) => validateSpec(spec, undefined),
  validateUpdate: (next, old) => validateSpec(next.spec, old.spec),
  columns: [nameColumn(), ageColumn()],
});

function validateSpec(spec: DeviceClassSpec, old: DeviceClassSpec | undefined): FieldError[] {
  const { selectors, config, extendedResourceName: resource } = spec;
  const kept = old !== undefined && jsonEqual(selectors ?? [], old.selectors ?? []);
  const errors = [
    ...(kept ? [] : validateSelectors(selectors, 'spec.selectors')),
    ...validateItems(config, { field: 'spec.config', max: MAX_CONFIG }, validateConfiguration),
  ];
  if (resource !== undefined && !isExtendedResource(resource)) {
    errors.push(invalid('spec.extendedResourceName', resource, 'must be a valid extended resource name'));
  }
  return errors;
}
