import { timestamp } from '../../base/clock.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import { ageColumn, nameColumn } from '../columns.ts';
import { defineResource, type ResourceDefinition } from '../resource.ts';
import { validateResourceSlice } from './resource-slice-validation.ts';
import { type ResourceSlice, resourceslices } from './v1.gen.ts';

/** Devices that a driver offers, on one node or on several. */
export const resourceSlices: ResourceDefinition<ResourceSlice> = defineResource<ResourceSlice>({
  storage: 'v1',
  versions: { v1: { type: resourceslices, schema: 'io.k8s.api.resource.v1.ResourceSlice' } },
  generation: true,
  prepareForCreate: (slice, { now }) => settleDevices(slice, now),
  prepareForUpdate: (slice, _old, { now }) => settleDevices(slice, now),
  returnsDeleted: true,
  validate: (slice) => validateResourceSlice(slice),
  validateUpdate: validateResourceSlice,
  unselectableField: (field) =>
    `field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: ${field}`,
  selectableFields: {
    'spec.nodeName': ({ spec }) => spec.nodeName ?? '',
    'spec.driver': ({ spec }) => spec.driver,
  },
  columns: [
    nameColumn(),
    { name: 'Node', type: 'string', cell: ({ spec }) => spec.nodeName ?? '' },
    { name: 'Driver', type: 'string', cell: ({ spec }) => spec.driver },
    { name: 'Pool', type: 'string', cell: ({ spec }) => spec.pool.name },
    ageColumn(),
  ],
});

/** Leaves out what only alpha features have, and says since when a device is tainted. */
function settleDevices({ spec }: DeepMutable<ResourceSlice>, now: number): void {
  for (const device of spec.devices ?? []) {
    delete device.nodeAllocatableResourceMappings;
    for (const attribute of Object.values(device.attributes ?? {})) {
      delete attribute.bools;
      delete attribute.ints;
      delete attribute.strings;
      delete attribute.versions;
    }
    for (const taint of device.taints ?? []) taint.timeAdded ??= timestamp(now);
  }
}
