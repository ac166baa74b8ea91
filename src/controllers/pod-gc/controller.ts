import { nodes, pods, type Pod } from '../../api/core/v1.gen.ts';
import { timestamp } from '../../base/clock.ts';
import type { Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import {
  recheck,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { withCondition } from '../../reconcile/conditions.ts';
import { startReconciler } from '../../reconcile/reconciler.ts';
import { isPodFinished } from '../pods/pod-state.ts';
import { finishedLimit, planPodRemovals, type PodRemoval } from './plan.ts';

/** Removes pods that nobody else will. */
export const podGarbageCollector: Controller = {
  name: 'pod-garbage-collector-controller',
  aliases: ['podgc'],
  start,
};

const periodMs = 20_000;

/** A node that comes back within this time keeps its pods. */
const quarantineMs = 40_000;

function start(context: ControllerContext): RunningController {
  const { client, informers, clock } = context;
  const podCache = informers.for(pods);
  const nodeCache = informers.for(nodes);
  const podClient = client.for(pods);
  const nodeClient = client.for(nodes);
  const missingSince = new Map<string, number>();
  podCache.addIndex('node', (pod) => (pod.spec.nodeName ? [pod.spec.nodeName] : []));
  podCache.addIndex('over', (pod) => (isOver(pod) ? ['yes'] : []));
  const reconciler = startReconciler(context, {
    name: podGarbageCollector.name,
    caches: [podCache, nodeCache],
    reconcile,
  });
  nodeCache.addHandler({
    onAdd: ({ metadata }) => void missingSince.delete(metadata.name),
    onDelete({ metadata }) {
      missingSince.set(metadata.name, clock.monotonic());
      reconciler.addAfter('all', quarantineMs + 1);
    },
  });
  reconciler.addAfter('all', periodMs);
  return reconciler;

  async function reconcile(): Promise<Outcome> {
    const gone = await goneNodes();
    const candidates = new Set(podCache.byIndex('over', 'yes'));
    for (const name of gone) for (const pod of podCache.byIndex('node', name)) candidates.add(pod);
    const removals = planPodRemovals({
      pods: candidates,
      finishedLimit,
      node: (name) => nodeCache.get(undefined, name),
      nodeIsGone: (name) => gone.has(name),
    });
    await Promise.all(removals.map(remove));
    return recheck(periodMs);
  }

  /** Nodes that pods speak of, that have been missing for the quarantine and that the server does not know either. */
  async function goneNodes(): Promise<ReadonlySet<string>> {
    const now = clock.monotonic();
    const gone = new Set<string>();
    for (const name of podCache.indexKeys('node')) {
      if (nodeCache.get(undefined, name)) continue;
      const since = missingSince.get(name) ?? now;
      missingSince.set(name, since);
      if (now - since >= quarantineMs && !(await exists(name))) gone.add(name);
    }
    return gone;
  }

  async function exists(name: string): Promise<boolean> {
    try {
      await nodeClient.get({ name });
      return true;
    } catch (error) {
      if (isStatus(error, 'NotFound')) return false;
      throw error;
    }
  }

  async function remove({ pod, why }: PodRemoval): Promise<void> {
    const { namespace = '', name, uid } = pod.metadata;
    try {
      if (!isPodFinished(pod)) await markFailed(pod, why);
      await podClient.delete({ namespace, name }, { gracePeriodSeconds: 0, preconditions: { uid } });
    } catch (error) {
      if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error;
    }
  }

  async function markFailed(pod: Live<Pod>, why: PodRemoval['why']): Promise<void> {
    const conditions =
      why === 'orphaned'
        ? withCondition(pod.status?.conditions ?? [], {
            type: 'DisruptionTarget',
            status: 'True',
            reason: 'DeletionByPodGC',
            message: 'PodGC: node no longer exists',
            lastTransitionTime: timestamp(clock.now()),
          })
        : (pod.status?.conditions ?? []);
    const { namespace = '', name, uid } = pod.metadata;
    const patch = { metadata: { uid }, status: { phase: 'Failed', conditions } };
    await podClient.patch({ namespace, name }, patch, {
      type: 'application/merge-patch+json',
      subresource: 'status',
    });
  }
}

/** Of other pods only those of nodes that are gone matter. */
function isOver(pod: Live<Pod>): boolean {
  return pod.metadata.deletionTimestamp !== undefined || isPodFinished(pod);
}
