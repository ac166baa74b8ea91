import { endpoints, pods, services, type Endpoints, type Service } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import {
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { deepEqual } from '../../reconcile/deep-equal.ts';
import { byKey, objectKey, parseKey, startReconciler } from '../../reconcile/reconciler.ts';
import { hasSelector, headlessLabel, isHeadless, selectsPod } from '../services/service-pods.ts';
import { wakeServices } from '../services/wake-services.ts';
import { planSubsets } from './plan.ts';

/** Keeps the Endpoints of services that select pods. */
export const endpointsController: Controller = {
  name: 'endpoints-controller',
  aliases: ['endpoint'],
  start,
};

const managedByLabel = 'endpoints.kubernetes.io/managed-by';

function start(context: ControllerContext): RunningController {
  const { client, informers } = context;
  const serviceCache = informers.for(services);
  const podCache = informers.for(pods);
  const endpointsCache = informers.for(endpoints);
  const endpointsClient = client.for(endpoints);
  const reconciler = startReconciler(context, {
    name: endpointsController.name,
    caches: [serviceCache, podCache, endpointsCache],
    reconcile,
  });
  wakeServices(serviceCache, podCache, (key) => reconciler.add(key));
  endpointsCache.addHandler({
    onAdd: (object) => reconciler.add(objectKey(object)),
    onDelete: (object) => reconciler.add(objectKey(object)),
  });
  return reconciler;

  async function reconcile(key: string): Promise<Outcome> {
    const service = byKey(serviceCache, key);
    const current = byKey(endpointsCache, key);
    if (!service) {
      if (current?.metadata.labels?.[managedByLabel]) await remove(key);
      return settled;
    }
    if (!hasSelector(service) || service.metadata.deletionTimestamp !== undefined) return settled;
    await write(wanted(service, current), current);
    return settled;
  }

  function wanted(service: Live<Service>, current: Live<Endpoints> | undefined): Endpoints {
    const { namespace = '', name, labels } = service.metadata;
    const selected = podCache.list(namespace).filter((pod) => selectsPod(service, pod));
    const subsets = planSubsets(service, selected);
    return {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: {
        ...(current?.metadata ?? { namespace, name }),
        labels: {
          ...labels,
          [managedByLabel]: 'endpoint-controller',
          ...(isHeadless(service) && { [headlessLabel]: '' }),
        },
      },
      ...(subsets.length > 0 && { subsets }),
    };
  }

  async function write(next: Endpoints, current: Live<Endpoints> | undefined): Promise<void> {
    if (!current) await endpointsClient.create(next);
    else if (!deepEqual(next, current)) await endpointsClient.update(next);
  }

  async function remove(key: string): Promise<void> {
    try {
      await endpointsClient.delete(parseKey(key));
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }
}
