import { nodes, pods, services, type Node, type Service } from '../../api/core/v1.gen.ts';
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
import { deepEqual } from '../../reconcile/deep-equal.ts';
import { OwnWrites } from '../../reconcile/own-writes.ts';
import { byKey, objectKey, startReconciler } from '../../reconcile/reconciler.ts';
import { hasSelector, selectsPod } from '../services/service-pods.ts';
import { TriggerTimes } from '../services/trigger-times.ts';
import { wakeServices } from '../services/wake-services.ts';
import { wantsTopology, zoneShares } from './topology-hints.ts';
import { managedBy, managedByLabel, planSlices, serviceNameLabel, zoneOf } from './plan.ts';

/** Keeps the EndpointSlices of services that select pods. */
export const endpointSliceController: Controller = {
  name: 'endpointslice-controller',
  aliases: ['endpointslice'],
  start,
};

const indexName = 'service';

function start(context: ControllerContext): RunningController {
  const { client, informers } = context;
  const serviceCache = informers.for(services);
  const podCache = informers.for(pods);
  const nodeCache = informers.for(nodes);
  const sliceCache = informers.for(endpointslices);
  const sliceClient = client.for(endpointslices);
  const triggerTimes = new TriggerTimes();
  const events = context.events.as('endpoint-slice-controller');
  /** What was told last of services that want topology hints. */
  const topologyProblems = new Map<string, string>();
  const ownWrites = new OwnWrites(sliceCache);
  sliceCache.addIndex(indexName, (slice) => [serviceKey(slice)]);
  const reconciler = startReconciler(context, {
    name: endpointSliceController.name,
    caches: [serviceCache, podCache, nodeCache, sliceCache],
    reconcile,
  });
  const wakeFor = wakeServices(serviceCache, podCache, (key) => reconciler.add(key));
  podCache.addIndex('node', (pod) => (pod.spec.nodeName ? [pod.spec.nodeName] : []));
  const wakeNode = ({ metadata }: Live<Node>): void => {
    for (const pod of podCache.byIndex('node', metadata.name)) wakeFor(pod);
  };
  const wakeTopology = (): void => {
    for (const service of serviceCache.list()) if (wantsTopology(service)) reconciler.add(objectKey(service));
  };
  nodeCache.addHandler({
    onAdd(node) {
      wakeNode(node);
      wakeTopology();
    },
    onUpdate(node, previous) {
      if (zoneOf(node) !== zoneOf(previous)) wakeNode(node);
      if (!deepEqual(zoneShares([node]), zoneShares([previous]))) wakeTopology();
    },
    onDelete: wakeTopology,
  });
  const wake = (slice: Live<EndpointSlice>): void => {
    if (slice.metadata.labels?.[managedByLabel] === managedBy) reconciler.add(serviceKey(slice));
  };
  sliceCache.addHandler({ onAdd: wake, onUpdate: wake, onDelete: wake });
  return reconciler;

  async function reconcile(key: string): Promise<Outcome> {
    const service = byKey(serviceCache, key);
    if (!service) {
      ownWrites.forget(key);
      triggerTimes.forget(key);
      topologyProblems.delete(key);
      return settled;
    }
    if (!hasSelector(service) || service.metadata.deletionTimestamp !== undefined) return settled;
    if (!ownWrites.observed(key)) return settled;
    const selected = podCache.list(service.metadata.namespace).filter((pod) => selectsPod(service, pod));
    const plan = planSlices({
      service,
      pods: selected,
      triggerTime: triggerTimes.next(key, service, selected),
      slices: sliceCache
        .byIndex(indexName, key)
        .filter((slice) => slice.metadata.labels?.[managedByLabel] === managedBy),
      node: (name) => nodeCache.get(undefined, name),
      zoneShares: () => zoneShares(nodeCache.list()),
    });
    tellTopology(key, service, plan.topologyProblem);
    for (const slice of plan.create) ownWrites.wrote(key, await sliceClient.create(slice));
    for (const slice of plan.update) ownWrites.wrote(key, await sliceClient.update(slice));
    for (const slice of plan.remove) await remove(key, slice);
    return settled;
  }

  function tellTopology(key: string, service: Live<Service>, problem: string | undefined): void {
    const before = topologyProblems.get(key);
    if (problem === before) return;
    if (problem === undefined) topologyProblems.delete(key);
    else topologyProblems.set(key, problem);
    if (problem) events.record(service, 'Warning', 'TopologyAwareHintsDisabled', problem);
    else if (problem === '')
      events.record(
        service,
        'Normal',
        'TopologyAwareHintsEnabled',
        `Topology Aware Hints has been enabled, addressType: ${service.spec.ipFamilies?.[0] ?? 'IPv4'}`,
      );
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

function serviceKey({ metadata }: Live<EndpointSlice>): string {
  return `${metadata.namespace}/${metadata.labels?.[serviceNameLabel] ?? ''}`;
}
