import { leases } from '../../api/coordination/v1.gen.ts';
import { nodes, pods, type Node, type Pod } from '../../api/core/v1.gen.ts';
import { timestamp } from '../../base/clock.ts';
import type { Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import { conditionOf, withCondition } from '../../reconcile/conditions.ts';
import {
  recheck,
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { deepEqual } from '../../reconcile/deep-equal.ts';
import { startReconciler } from '../../reconcile/reconciler.ts';
import { isPodReady } from '../pods/pod-state.ts';
import { planTaints, unknownConditions } from './plan.ts';

/** Notices nodes that stop reporting, and turns the conditions of nodes into taints. */
export const nodeLifecycleController: Controller = {
  name: 'node-lifecycle-controller',
  aliases: ['nodelifecycle'],
  start,
};

/** How long a node may be silent; upstream's `--node-monitor-grace-period`. */
const graceMs = 50_000;
const leaseNamespace = 'kube-node-lease';

function start(context: ControllerContext): RunningController {
  const { client, informers, events, clock } = context;
  const nodeCache = informers.for(nodes);
  const leaseCache = informers.for(leases);
  const podCache = informers.for(pods);
  const nodeClient = client.for(nodes);
  const podClient = client.for(pods);
  const heardFrom = new Map<string, number>();
  podCache.addIndex('node', (pod) => (pod.spec.nodeName ? [pod.spec.nodeName] : []));
  const reconciler = startReconciler(context, {
    name: nodeLifecycleController.name,
    caches: [nodeCache, leaseCache, podCache],
    reconcile,
  });
  nodeCache.addHandler({
    onAdd({ metadata }) {
      hear(metadata.name);
      reconciler.add(metadata.name);
    },
    onUpdate(node, previous) {
      if (heartbeat(node) !== heartbeat(previous)) hear(node.metadata.name);
      reconciler.add(node.metadata.name);
    },
    onDelete: ({ metadata }) => void heardFrom.delete(metadata.name),
  });
  leaseCache.addHandler({
    onAdd: ({ metadata }) => metadata.namespace === leaseNamespace && hear(metadata.name),
    onUpdate: ({ metadata }) => metadata.namespace === leaseNamespace && hear(metadata.name),
  });
  return reconciler;

  function hear(name: string): void {
    heardFrom.set(name, clock.monotonic());
  }

  async function reconcile(name: string): Promise<Outcome> {
    const node = nodeCache.get(undefined, name);
    if (!node) return settled;
    const silentMs = clock.monotonic() - (heardFrom.get(name) ?? 0);
    const current = silentMs >= graceMs ? await markUnknown(node) : node;
    await writeTaints(current);
    if (conditionOf(current.status?.conditions, 'Ready')?.status !== 'True') await markPods(name);
    return recheck(Math.max(1000, graceMs - silentMs));
  }

  async function markUnknown(node: Live<Node>): Promise<Live<Node>> {
    const conditions = unknownConditions(node, clock.now());
    if (deepEqual(conditions, node.status?.conditions)) return node;
    const updated = await nodeClient.updateStatus({ ...node, status: { ...node.status, conditions } });
    const { name } = node.metadata;
    events.record(node, 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`);
    return updated;
  }

  async function writeTaints(node: Live<Node>): Promise<void> {
    const taints = planTaints(node, clock.now());
    if (taints === node.spec.taints || (taints.length === 0 && !node.spec.taints)) return;
    const { name, resourceVersion } = node.metadata;
    await nodeClient.patch(
      { name },
      { metadata: { resourceVersion }, spec: { taints: taints.length > 0 ? taints : null } },
      { type: 'application/merge-patch+json' },
    );
  }

  /** Pods on a node that is not ready get no traffic. */
  async function markPods(nodeName: string): Promise<void> {
    await Promise.all(podCache.byIndex('node', nodeName).filter(isPodReady).map(markPod));
  }

  async function markPod(pod: Live<Pod>): Promise<void> {
    const { namespace = '', name, resourceVersion } = pod.metadata;
    const ready = conditionOf(pod.status?.conditions, 'Ready');
    if (!ready) return;
    const conditions = withCondition(pod.status?.conditions ?? [], {
      ...ready,
      status: 'False',
      lastTransitionTime: timestamp(clock.now()),
    });
    try {
      await podClient.patch(
        { namespace, name },
        { metadata: { resourceVersion }, status: { conditions } },
        { type: 'application/merge-patch+json', subresource: 'status' },
      );
      events.record(pod, 'Warning', 'NodeNotReady', 'Node is not ready');
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }
}

function heartbeat(node: Live<Node>): string | undefined {
  return conditionOf(node.status?.conditions, 'Ready')?.lastHeartbeatTime;
}
