import { endpoints, services, type Endpoints, type Service } from '../../api/core/v1.gen.ts';
import { endpointslices, type EndpointSlice } from '../../api/discovery/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import {
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { OwnWrites } from '../../reconcile/own-writes.ts';
import { byKey, objectKey, startReconciler } from '../../reconcile/reconciler.ts';
import { managedByLabel, serviceNameLabel } from '../endpoint-slice/plan.ts';
import { mirroredBy, planMirror, shouldMirror } from './plan.ts';

/** Shows Endpoints that people keep by hand as EndpointSlices too. */
export const endpointSliceMirroringController: Controller = {
  name: 'endpointslice-mirroring-controller',
  aliases: ['endpointslicemirroring'],
  start,
};

function start(context: ControllerContext): RunningController {
  const { client, informers } = context;
  const endpointsCache = informers.for(endpoints);
  const serviceCache = informers.for(services);
  const sliceCache = informers.for(endpointslices);
  const sliceClient = client.for(endpointslices);
  const ownWrites = new OwnWrites(sliceCache);
  sliceCache.addIndex('mirrored', (slice) => (isMirror(slice) ? [serviceKey(slice)] : []));
  const reconciler = startReconciler(context, {
    name: endpointSliceMirroringController.name,
    caches: [endpointsCache, serviceCache, sliceCache],
    reconcile,
  });
  const wake = (object: Live<Endpoints> | Live<Service>): void => reconciler.add(objectKey(object));
  endpointsCache.addHandler({ onAdd: wake, onUpdate: wake, onDelete: wake });
  serviceCache.addHandler({ onAdd: wake, onUpdate: wake, onDelete: wake });
  const wakeFor = (slice: Live<EndpointSlice>): void => {
    if (isMirror(slice)) reconciler.add(serviceKey(slice));
  };
  sliceCache.addHandler({ onAdd: wakeFor, onUpdate: wakeFor, onDelete: wakeFor });
  return reconciler;

  async function reconcile(key: string): Promise<Outcome> {
    const held = byKey(endpointsCache, key);
    const slices = sliceCache.byIndex('mirrored', key);
    if (!shouldMirror(held, byKey(serviceCache, key))) {
      ownWrites.forget(key);
      for (const slice of slices) await remove(key, slice);
      return settled;
    }
    if (held.metadata.deletionTimestamp !== undefined || !ownWrites.observed(key)) return settled;
    const plan = planMirror(held, slices);
    for (const slice of plan.create) ownWrites.wrote(key, await sliceClient.create(slice));
    for (const slice of plan.update) ownWrites.wrote(key, await sliceClient.update(slice));
    for (const slice of plan.remove) await remove(key, slice);
    return settled;
  }

  async function remove(key: string, slice: Live<EndpointSlice>): Promise<void> {
    const { namespace = '', name } = slice.metadata;
    try {
      await sliceClient.delete({ namespace, name });
      ownWrites.deleted(key, slice);
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }
}

function isMirror({ metadata }: Live<EndpointSlice>): boolean {
  return metadata.labels?.[managedByLabel] === mirroredBy;
}

function serviceKey({ metadata }: Live<EndpointSlice>): string {
  return `${metadata.namespace}/${metadata.labels?.[serviceNameLabel] ?? ''}`;
}
