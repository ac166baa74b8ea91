import { endpoints, pods, services, type Endpoints, type Pod, type Service } from '../../api/core/v1.gen.ts';
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
import { TriggerTimes, withTriggerTime } from '../services/trigger-times.ts';
import { wakeServices } from '../services/wake-services.ts';
import { planSubsets } from './plan.ts';

/** Keeps the Endpoints of services that select pods. */
export const endpointsController: Controller = {
  name: 'endpoints-controller',
  aliases: ['endpoint'],
  start,
};

const managedByLabel = 'endpoints.kubernetes.io/managed-by';
const overCapacity = 'endpoints.kubernetes.io/over-capacity';

interface Observation {
  readonly service: Live<Service>;
  readonly selected: readonly Live<Pod>[];
  readonly current: Live<Endpoints> | undefined;
}

function start(context: ControllerContext): RunningController {
  const { client, informers } = context;
  const serviceCache = informers.for(services);
  const podCache = informers.for(pods);
  const endpointsCache = informers.for(endpoints);
  const endpointsClient = client.for(endpoints);
  const triggerTimes = new TriggerTimes();
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
      triggerTimes.forget(key);
      if (current?.metadata.labels?.[managedByLabel]) await remove(key);
      return settled;
    }
    if (!hasSelector(service) || service.metadata.deletionTimestamp !== undefined) return settled;
    const selected = podCache.list(service.metadata.namespace).filter((pod) => selectsPod(service, pod));
    await write(wanted({ service, selected, current }), current, triggerTimes.next(key, service, selected));
    return settled;
  }

  function wanted({ service, selected, current }: Observation): Endpoints {
    const { namespace = '', name, labels } = service.metadata;
    const { subsets, truncated } = planSubsets(service, selected);
    const { [overCapacity]: _before, ...annotations } = current?.metadata.annotations ?? {};
    const shown = truncated ? { ...annotations, [overCapacity]: 'truncated' } : annotations;
    const { annotations: _annotations, ...metadata } = current?.metadata ?? { namespace, name };
    return {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: {
        ...metadata,
        ...(Object.keys(shown).length > 0 && { annotations: shown }),
        labels: {
          ...labels,
          [managedByLabel]: 'endpoint-controller',
          ...(isHeadless(service) && { [headlessLabel]: '' }),
        },
      },
      ...(subsets.length > 0 && { subsets }),
    };
  }

  async function write(
    next: Endpoints,
    current: Live<Endpoints> | undefined,
    triggerTime: string | undefined,
  ): Promise<void> {
    if (current && deepEqual(next, current)) return;
    const { annotations, ...metadata } = next.metadata;
    const stamped = { ...next, metadata: { ...metadata, ...withTriggerTime(annotations, triggerTime) } };
    if (current) await endpointsClient.update(stamped);
    else await endpointsClient.create(stamped);
  }

  async function remove(key: string): Promise<void> {
    try {
      await endpointsClient.delete(parseKey(key));
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }
}
