import { leases } from '../../api/coordination/v1.gen.ts';
import { nodes, pods, type Node } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { conditionOf } from '../../reconcile/conditions.ts';
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
import { EvictionQueue } from './eviction-queue.ts';
import { markPodsNotReady } from './mark-pods.ts';
import { missingBetaLabels, unknownConditions } from './node-health.ts';
import { planTaints, type EvictionMode } from './node-taints.ts';
import {
  countZones,
  defaultZoneSettings,
  evictionRate,
  isEverythingDown,
  zoneOf,
  type ZoneSettings,
} from './zones.ts';

/** kube-controller-manager's flags about nodes, in milliseconds, with its defaults. */
export interface NodeLifecycleSettings extends ZoneSettings {
  /** `--node-monitor-grace-period`: how long a node may be silent. */
  readonly graceMs: number;
  /** `--node-startup-grace-period`: the same for a node that has not reported yet. */
  readonly startupGraceMs: number;
}

export const defaultNodeLifecycleSettings: NodeLifecycleSettings = {
  ...defaultZoneSettings,
  graceMs: 50_000,
  startupGraceMs: 60_000,
};

/** Notices nodes that stop reporting, and turns the conditions of nodes into taints. */
export function nodeLifecycleController(settings: NodeLifecycleSettings): Controller {
  const name = 'node-lifecycle-controller';
  return { name, aliases: ['nodelifecycle'], start: (context) => start(context, name, settings) };
}

const leaseNamespace = 'kube-node-lease';
/** The key of the work on all zones together; no node has such a name. */
const zonesKey = '/zones';
const zonesDelayMs = 50;

function start(context: ControllerContext, name: string, settings: NodeLifecycleSettings): RunningController {
  const { client, informers, clock } = context;
  const events = context.events.as('node-controller');
  const nodeCache = informers.for(nodes);
  const leaseCache = informers.for(leases);
  const podCache = informers.for(pods);
  const nodeClient = client.for(nodes);
  const heardFrom = new Map<string, number>();
  const wasReady = new Map<string, boolean>();
  const podsToMark = new Set<string>();
  const queue = new EvictionQueue(clock);
  let everythingDown = false;
  podCache.addIndex('node', (pod) => (pod.spec.nodeName ? [pod.spec.nodeName] : []));
  const reconciler = startReconciler(context, {
    name,
    caches: [nodeCache, leaseCache, podCache],
    concurrency: 64,
    reconcile: (key) => (key === zonesKey ? reconcileZones() : reconcileNode(key)),
  });
  nodeCache.addHandler({
    onAdd(node) {
      hear(node.metadata.name);
      reconciler.add(node.metadata.name);
      record(node, 'RegisteredNode', `Registered Node ${node.metadata.name} in Controller`);
    },
    onUpdate(node, previous) {
      if (heartbeat(node) !== heartbeat(previous)) hear(node.metadata.name);
      reconciler.add(node.metadata.name);
    },
    onDelete(node) {
      const gone = node.metadata.name;
      heardFrom.delete(gone);
      wasReady.delete(gone);
      podsToMark.delete(gone);
      queue.remove(gone);
      reconciler.addAfter(zonesKey, zonesDelayMs);
      record(node, 'RemovingNode', `Removing Node ${gone} from Controller`);
    },
  });
  leaseCache.addHandler({
    onAdd: ({ metadata }) => metadata.namespace === leaseNamespace && hear(metadata.name),
    onUpdate({ metadata, spec }, previous) {
      if (metadata.namespace === leaseNamespace && spec?.renewTime !== previous.spec?.renewTime)
        hear(metadata.name);
    },
  });
  return reconciler;

  function record(node: Live<Node>, reason: string, message: string): void {
    events.record(node, 'Normal', reason, `Node ${node.metadata.name} event: ${message}`);
  }

  function hear(node: string): void {
    heardFrom.set(node, clock.monotonic());
  }

  async function reconcileNode(nodeName: string): Promise<Outcome> {
    const node = nodeCache.get(undefined, nodeName);
    if (!node) return settled;
    const leftMs = msUntilUnknown(node);
    const current = leftMs > 0 ? node : await markUnknown(node);
    noteReadiness(current);
    await writeTaints(current, everythingDown ? 'clear' : 'wait');
    await writeLabels(current);
    if (podsToMark.has(nodeName)) {
      await markPodsNotReady({ client, events, clock }, podCache.byIndex('node', nodeName));
      podsToMark.delete(nodeName);
    }
    return recheck(leftMs > 0 ? Math.max(1000, leftMs) : settings.graceMs);
  }

  function msUntilUnknown(node: Live<Node>): number {
    if (conditionOf(node.status?.conditions, 'Ready')) {
      const silentMs = clock.monotonic() - (heardFrom.get(node.metadata.name) ?? 0);
      return settings.graceMs - silentMs;
    }
    return settings.startupGraceMs - (clock.now() - Date.parse(node.metadata.creationTimestamp));
  }

  async function markUnknown(node: Live<Node>): Promise<Live<Node>> {
    const conditions = unknownConditions(node, clock.now());
    if (deepEqual(conditions, node.status?.conditions)) return node;
    return nodeClient.updateStatus({ ...node, status: { ...node.status, conditions } });
  }

  /** Reacts once when a node turns from ready to something else; at the first sight of a node there is nothing to tell. */
  function noteReadiness(node: Live<Node>): void {
    const nodeName = node.metadata.name;
    const condition = conditionOf(node.status?.conditions, 'Ready');
    if (!condition) return;
    const ready = condition.status === 'True';
    const before = wasReady.get(nodeName);
    if (before === ready) return;
    wasReady.set(nodeName, ready);
    reconciler.addAfter(zonesKey, zonesDelayMs);
    if (ready) {
      podsToMark.delete(nodeName);
      queue.remove(nodeName);
      return;
    }
    podsToMark.add(nodeName);
    if (before) events.record(node, 'Normal', 'NodeNotReady', `Node ${nodeName} status is now: NodeNotReady`);
  }

  async function writeTaints(node: Live<Node>, mode: EvictionMode): Promise<void> {
    const { taints, waits } = planTaints(node, mode, clock.now());
    const { name: nodeName, resourceVersion } = node.metadata;
    if (waits) {
      queue.add(zoneOf(node), nodeName);
      reconciler.addAfter(zonesKey, zonesDelayMs);
    }
    if (taints === node.spec.taints || (taints.length === 0 && !node.spec.taints)) return;
    await nodeClient.patch(
      { name: nodeName },
      { metadata: { resourceVersion }, spec: { taints: taints.length > 0 ? taints : null } },
      { type: 'application/merge-patch+json' },
    );
  }

  async function writeLabels(node: Live<Node>): Promise<void> {
    const labels = missingBetaLabels(node);
    if (!labels) return;
    await nodeClient.patch(
      { name: node.metadata.name },
      { metadata: { labels } },
      { type: 'application/merge-patch+json' },
    );
  }

  /** Sets the rates after the state of the zones, then gives nodes whose turn it is their taint. */
  async function reconcileZones(): Promise<Outcome> {
    const zones = countZones(nodeCache.list());
    const down = isEverythingDown(zones);
    if (down !== everythingDown) turnEverything(down);
    if (down) return settled;
    for (const zone of new Set(nodeCache.list().map(zoneOf)))
      queue.setRate(zone, evictionRate(zones.get(zone) ?? { ready: 0, notReady: 0 }, settings));
    for (const nodeName of queue.take()) {
      const node = nodeCache.get(undefined, nodeName);
      try {
        if (node) await writeTaints(node, 'taint');
      } catch (error) {
        if (node) queue.add(zoneOf(node), nodeName);
        throw error;
      }
    }
    const waitMs = queue.msUntilNext();
    return waitMs === undefined ? settled : recheck(Math.max(1, waitMs));
  }

  /** When all zones go down nothing may be evicted; when the first comes back every node gets a new grace period. */
  function turnEverything(down: boolean): void {
    everythingDown = down;
    queue.clear();
    for (const { metadata } of nodeCache.list()) {
      if (!down) hear(metadata.name);
      reconciler.add(metadata.name);
    }
  }
}

function heartbeat(node: Live<Node>): string | undefined {
  return conditionOf(node.status?.conditions, 'Ready')?.lastHeartbeatTime;
}
