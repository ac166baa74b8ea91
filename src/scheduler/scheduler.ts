import { namespaces, nodes, pods, type Node, type Pod } from '../api/core/v1.gen.ts';
import { timestamp } from '../base/clock.ts';
import type { Live } from '../machinery/object.ts';
import { isStatus } from '../machinery/status-error.ts';
import { conditionOf } from '../reconcile/conditions.ts';
import type { Controller, ControllerContext, RunningController } from '../reconcile/controller.ts';
import { deepEqual } from '../reconcile/deep-equal.ts';
import { ClusterState } from './cluster-state.ts';
import { fitErrorMessage } from './fit-error.ts';
import { podInfo, type PodInfo } from './pod-info.ts';
import { defaultPlugins } from './plugins/default-plugins.ts';
import { placePod } from './schedule-pod.ts';
import { SchedulingQueue } from './scheduling-queue.ts';

const schedulerName = 'default-scheduler';

/** Pods decided in one go before others get the event loop. */
const batch = 64;

/** Gives every pod that waits for one a node. */
export const scheduler: Controller = { name: 'scheduler', aliases: ['kube-scheduler'], start };

function start(context: ControllerContext): RunningController {
  const { client, informers, clock, signal } = context;
  const events = context.events.as(schedulerName);
  const podClient = client.for(pods);
  const podCache = informers.for(pods);
  const nodeCache = informers.for(nodes);
  const namespaceCache = informers.for(namespaces);
  const state = new ClusterState();
  const queue = new SchedulingQueue(clock, wake);
  const binding = new Set<Promise<void>>();
  const caches = [podCache, nodeCache, namespaceCache];
  let ready = false;
  let running = false;
  let turn = 0;
  void Promise.all(caches.map((cache) => cache.synced())).then(() => {
    ready = true;
    wake();
  });

  nodeCache.addHandler({
    onAdd(node) {
      state.setNode(node);
      queue.notify('node');
    },
    onUpdate(node, previous) {
      state.setNode(node);
      if (mayFitMore(node, previous)) queue.notify('node');
    },
    onDelete: (node) => state.removeNode(node.metadata.name),
  });
  podCache.addHandler({
    onAdd: (pod) => see(pod),
    onUpdate: see,
    onDelete: (pod) => lose(pod),
  });
  namespaceCache.addHandler({ onUpdate: () => queue.notify('namespace') });
  signal.addEventListener('abort', () => queue.stop(), { once: true });
  return {
    async stop() {
      queue.stop();
      await Promise.all(binding);
    },
  };

  function see(pod: Live<Pod>, previous?: Live<Pod>): void {
    const { phase } = pod.status ?? {};
    if (phase === 'Succeeded' || phase === 'Failed') lose(pod);
    else if (pod.spec.nodeName) {
      queue.remove(pod.metadata.uid);
      state.see(pod, pod.spec.nodeName);
      if (!previous?.spec.nodeName) queue.notify('pod-placed');
    } else if (isOurs(pod)) {
      if (state.holds(pod) || (previous && !concernsScheduling(pod, previous))) queue.refresh(podInfo(pod));
      else queue.add(podInfo(pod));
    } else queue.remove(pod.metadata.uid);
  }

  function lose(pod: Live<Pod>): void {
    queue.remove(pod.metadata.uid);
    if (!state.holds(pod)) return;
    state.remove(pod.metadata.uid);
    queue.notify('pod-gone');
  }

  function wake(): void {
    if (!ready || running || signal.aborted) return;
    running = true;
    queueMicrotask(run);
  }

  function run(): void {
    for (let decided = 0; decided < batch; decided++) {
      const info = queue.pop();
      if (!info || signal.aborted) {
        running = false;
        return;
      }
      decide(info);
    }
    setImmediate(run);
  }

  function decide(info: PodInfo): void {
    const snapshot = {
      nodes: state.nodes,
      namespaceLabels: (name: string) => namespaceCache.get(undefined, name)?.metadata.labels,
    };
    const placement = placePod(info, { plugins: defaultPlugins, snapshot, start: turn++ });
    const work =
      placement.nodeName === undefined
        ? reject(info, fitErrorMessage(placement.nodes, placement.rejections))
        : bind(info, placement.nodeName);
    if (placement.nodeName === undefined) queue.park(info.pod.metadata.uid, placement.wokenBy);
    binding.add(work);
    void work.finally(() => binding.delete(work));
  }

  async function bind(info: PodInfo, nodeName: string): Promise<void> {
    const { namespace = '', name, uid } = info.pod.metadata;
    state.place(info, nodeName);
    try {
      await podClient.createSubresource({ namespace, name }, 'binding', {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { namespace, name, uid },
        target: { kind: 'Node', name: nodeName },
      });
    } catch (error) {
      const bound = podCache.get(namespace, name);
      if (bound?.metadata.uid === uid && bound.spec.nodeName) return;
      state.remove(uid);
      if (isStatus(error, 'NotFound')) return;
      context.onFailure?.({
        controller: 'scheduler',
        key: `${namespace}/${name}`,
        error,
        failures: 1,
        retryMs: 1000,
      });
      queue.retry(uid);
      return;
    }
    events.record(
      info.pod,
      'Normal',
      'Scheduled',
      `Successfully assigned ${namespace}/${name} to ${nodeName}`,
    );
  }

  async function reject({ pod }: PodInfo, message: string): Promise<void> {
    const { namespace = '', name, generation } = pod.metadata;
    events.record(pod, 'Warning', 'FailedScheduling', message);
    const current = conditionOf(pod.status?.conditions, 'PodScheduled');
    if (current?.status === 'False' && current.reason === 'Unschedulable' && current.message === message)
      return;
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastProbeTime: null,
      ...(current?.status !== 'False' && { lastTransitionTime: timestamp(clock.now()) }),
      ...(generation !== undefined && { observedGeneration: generation }),
    };
    try {
      await podClient.patch(
        { namespace, name },
        { status: { conditions: [condition] } },
        { type: 'application/strategic-merge-patch+json', subresource: 'status' },
      );
    } catch (error) {
      if (isStatus(error, 'NotFound')) return;
      context.onFailure?.({
        controller: 'scheduler',
        key: `${namespace}/${name}`,
        error,
        failures: 1,
        retryMs: 0,
      });
    }
  }
}

function isOurs({ spec, metadata }: Pod): boolean {
  return (
    (spec.schedulerName ?? schedulerName) === schedulerName &&
    metadata.deletionTimestamp === undefined &&
    (spec.schedulingGates ?? []).length === 0
  );
}

/** Whether more than the pod's status changed. */
function concernsScheduling(pod: Live<Pod>, previous: Live<Pod>): boolean {
  return !deepEqual(pod.spec, previous.spec) || !deepEqual(pod.metadata.labels, previous.metadata.labels);
}

/** Whether a pod that did not fit the node may fit it now; heartbeats do not count. */
function mayFitMore(node: Live<Node>, previous: Live<Node>): boolean {
  return (
    !deepEqual(node.spec, previous.spec) ||
    !deepEqual(node.metadata.labels, previous.metadata.labels) ||
    !deepEqual(node.status?.allocatable, previous.status?.allocatable)
  );
}
