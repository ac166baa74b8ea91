import { nodes, pods, type Pod } from '../../api/core/v1.gen.ts';
import { timestamp } from '../../base/clock.ts';
import type { Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import { withCondition } from '../../reconcile/conditions.ts';
import {
  recheck,
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { deepEqual } from '../../reconcile/deep-equal.ts';
import { byKey, objectKey, startReconciler } from '../../reconcile/reconciler.ts';
import { isPodActive } from '../pods/pod-state.ts';
import { msUntilEviction } from './plan.ts';

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
  const podClient = client.for(pods);
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
  });
  return reconciler;

  function wake(pod: Live<Pod>): void {
    const node = pod.spec.nodeName ? nodeCache.get(undefined, pod.spec.nodeName) : undefined;
    if (node?.spec.taints) reconciler.add(objectKey(pod));
  }

  async function reconcile(key: string): Promise<Outcome> {
    const pod = byKey(podCache, key);
    const node = pod?.spec.nodeName ? nodeCache.get(undefined, pod.spec.nodeName) : undefined;
    if (!pod || !node || !isPodActive(pod)) return settled;
    const waitMs = msUntilEviction(pod, node.spec.taints ?? [], clock.now());
    if (waitMs === undefined) return settled;
    if (waitMs > 0) return recheck(waitMs);
    await evict(pod);
    return settled;
  }

  async function evict(pod: Live<Pod>): Promise<void> {
    const { namespace = '', name, uid } = pod.metadata;
    events.record(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${namespace}/${name}`);
    const conditions = withCondition(pod.status?.conditions ?? [], {
      type: 'DisruptionTarget',
      status: 'True',
      reason: 'DeletionByTaintManager',
      message: 'Taint manager: deleting due to NoExecute taint',
      lastTransitionTime: timestamp(clock.now()),
    });
    try {
      await podClient.patch(
        { namespace, name },
        { metadata: { uid }, status: { conditions } },
        { type: 'application/merge-patch+json', subresource: 'status' },
      );
      await podClient.delete({ namespace, name }, { preconditions: { uid } });
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }
}
