import { nodes, pods, type Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import {
  recheck,
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { deepEqual } from '../../reconcile/deep-equal.ts';
import { byKey, objectKey, parseKey, startReconciler } from '../../reconcile/reconciler.ts';
import { evictPod } from './evict-pod.ts';
import { metSince, toleratedMs } from './plan.ts';

/** Deletes pods from nodes whose `NoExecute` taints they do not, or no longer, tolerate. */
export const taintEvictionController: Controller = {
  name: 'taint-eviction-controller',
  aliases: ['taint-eviction'],
  start,
};

function start(context: ControllerContext): RunningController {
  const { client, informers, events, clock } = context;
  const nodeCache = informers.for(nodes);
  const podCache = informers.for(pods);
  /** Since when pods wait to be evicted, in milliseconds since the epoch. */
  const waitingSince = new Map<string, number>();
  podCache.addIndex('node', (pod) => (pod.spec.nodeName ? [pod.spec.nodeName] : []));
  const reconciler = startReconciler(context, {
    name: taintEvictionController.name,
    caches: [nodeCache, podCache],
    reconcile,
  });
  const wakePodsOf = (nodeName: string): void => {
    for (const pod of podCache.byIndex('node', nodeName)) reconciler.add(objectKey(pod));
  };
  nodeCache.addHandler({
    onAdd: ({ metadata }) => wakePodsOf(metadata.name),
    onUpdate(node, previous) {
      if (!deepEqual(node.spec.taints, previous.spec.taints)) wakePodsOf(node.metadata.name);
    },
  });
  podCache.addHandler({
    onAdd: wake,
    onUpdate(pod, previous) {
      const moved = pod.spec.nodeName !== previous.spec.nodeName;
      if (moved || !deepEqual(pod.spec.tolerations, previous.spec.tolerations)) wake(pod);
    },
    onDelete(pod) {
      if (waitingSince.has(objectKey(pod))) reconciler.add(objectKey(pod));
    },
  });
  return reconciler;

  function wake(pod: Live<Pod>): void {
    const node = pod.spec.nodeName ? nodeCache.get(undefined, pod.spec.nodeName) : undefined;
    if (node?.spec.taints) reconciler.add(objectKey(pod));
  }

  async function reconcile(key: string): Promise<Outcome> {
    const pod = byKey(podCache, key);
    const node = pod?.spec.nodeName ? nodeCache.get(undefined, pod.spec.nodeName) : undefined;
    const taints = node?.spec.taints ?? [];
    const tolerated = pod ? toleratedMs(pod, taints) : Number.POSITIVE_INFINITY;
    if (!pod || !Number.isFinite(tolerated)) {
      cancel(key, pod);
      return settled;
    }
    if (pod.metadata.deletionTimestamp !== undefined) {
      waitingSince.delete(key);
      return settled;
    }
    const now = clock.now();
    if (tolerated > 0) {
      const since = waitingSince.get(key) ?? metSince(pod, taints, now);
      waitingSince.set(key, since);
      if (since + tolerated > now) return recheck(since + tolerated - now);
    }
    await evict(pod);
    waitingSince.delete(key);
    return settled;
  }

  function cancel(key: string, pod: Live<Pod> | undefined): void {
    if (!waitingSince.delete(key)) return;
    const { namespace = '', name } = parseKey(key);
    const about = pod ?? { apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name } };
    events.record(about, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${key}`);
  }

  async function evict(pod: Live<Pod>): Promise<void> {
    const { namespace = '', name } = pod.metadata;
    events.record(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${namespace}/${name}`);
    await evictPod(client, pod, {
      reason: 'DeletionByTaintManager',
      message: 'Taint manager: deleting due to NoExecute taint',
      now: clock.now(),
    });
  }
}
