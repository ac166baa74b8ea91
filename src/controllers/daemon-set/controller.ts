import { daemonsets, type ControllerRevision, type DaemonSet } from '../../api/apps/v1.gen.ts';
import { nodes, pods, type Node, type Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { selectorFrom, selectorMatches } from '../../machinery/selectors/label-selector.ts';
import {
  recheck,
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { deepEqual } from '../../reconcile/deep-equal.ts';
import { OwnWrites } from '../../reconcile/own-writes.ts';
import { controllerOf, dependentsOf, indexByController, unowned } from '../../reconcile/owner.ts';
import { byKey, objectKey, startReconciler } from '../../reconcile/reconciler.ts';
import { wakeOwners } from '../../reconcile/wake-owners.ts';
import { applyClaims, planClaims } from '../pods/claim.ts';
import { podFromTemplate } from '../pods/pod-from-template.ts';
import { podWriter } from '../pods/pod-writer.ts';
import { slowStart } from '../pods/slow-start.ts';
import { keepRevisions, type History } from '../revisions/history.ts';
import { holdsTemplate } from '../revisions/plan.ts';
import { createFailureBackoff } from './failure-backoff.ts';
import { daemonTemplate, placementOf, targetNode } from './placement.ts';
import {
  generationLabel,
  hashLabel,
  nodePods,
  planPlacement,
  templateGeneration,
  type DaemonSetObservation,
  type DaemonSetPlan,
  type Removal,
} from './plan.ts';
import { planRolling } from './rolling.ts';
import { nextAvailability, planStatus } from './status.ts';

/** No more pods than this are created or deleted in one go. */
const burst = 250;

/** Keeps one pod on every node that fits. */
export const daemonSetController: Controller = {
  name: 'daemonset-controller',
  aliases: ['daemonset'],
  start,
};

function start(context: ControllerContext): RunningController {
  const { client, informers, events, clock } = context;
  const setCache = informers.for(daemonsets);
  const podCache = informers.for(pods);
  const nodeCache = informers.for(nodes);
  const setClient = client.for(daemonsets);
  const podClient = client.for(pods);
  const ownWrites = new OwnWrites(podCache);
  const writer = podWriter(context, ownWrites);
  const backoff = createFailureBackoff(clock);
  const keeper = keepRevisions(context, { owners: setClient, hashLabel });
  indexByController(podCache);

  const reconciler = startReconciler(context, {
    name: daemonSetController.name,
    caches: [setCache, podCache, nodeCache, keeper.cache],
    reconcile,
  });
  setCache.addHandler({
    onAdd: (set) => reconciler.add(objectKey(set)),
    onUpdate: (set) => reconciler.add(objectKey(set)),
    onDelete: (set) => ownWrites.forget(objectKey(set)),
  });
  wakeOwners({
    owners: setCache,
    dependents: podCache,
    kind: 'DaemonSet',
    wants: (set, { metadata }) => selectorMatches(selectorFrom(set.spec.selector), metadata.labels),
    wake: (key) => reconciler.add(key),
  });
  nodeCache.addHandler({ onAdd: (node) => wakePlaced([node]), onUpdate: wakeMoved, onDelete: wakeAll });
  keeper.cache.addHandler({ onDelete: wakeRevised });
  return reconciler;

  /** Wakes sets that mean different things for the two states of a node. */
  function wakeMoved(node: Live<Node>, previous: Live<Node>): void {
    if (deepEqual(node.metadata.labels, previous.metadata.labels) && deepEqual(node.spec, previous.spec))
      return;
    wakePlaced([node, previous]);
  }

  function wakePlaced([node, previous]: readonly [Live<Node>, Live<Node>?]): void {
    for (const set of setCache.list()) {
      const place = placementOf(set);
      if (place(node) !== (previous ? place(previous) : 'leave')) reconciler.add(objectKey(set));
    }
  }

  function wakeAll(): void {
    for (const set of setCache.list()) reconciler.add(objectKey(set));
  }

  function wakeRevised(revision: Live<ControllerRevision>): void {
    const owner = controllerOf(revision);
    if (owner?.kind === 'DaemonSet') reconciler.add(`${revision.metadata.namespace ?? ''}/${owner.name}`);
  }

  async function reconcile(key: string): Promise<Outcome> {
    const set = byKey(setCache, key);
    if (!set || set.metadata.deletionTimestamp !== undefined) return settled;
    const caughtUp = ownWrites.observed(key);
    const history = await keeper.record(set);
    const observation = await observe(set, history);
    const places = nodePods(observation);
    const placement = caughtUp ? planPlacement(observation, places) : { create: [], remove: [] };
    const isPlaced = placement.create.length === 0 && placement.remove.length === 0;
    const plan = caughtUp && isPlaced ? planRolling(observation, places) : placement;
    const failure = await act(observation, plan);
    await report(observation, planStatus(observation, places, history.collisionCount));
    if (failure !== undefined) throw failure;
    await truncate(observation, history);
    const waits = [placement.waitMs, nextAvailability(observation)].filter((ms) => ms !== undefined);
    return waits.length === 0 ? settled : recheck(Math.min(...waits));
  }

  async function observe(set: Live<DaemonSet>, history: History): Promise<DaemonSetObservation> {
    const { uid, namespace = '' } = set.metadata;
    const candidates = [...dependentsOf(podCache, uid), ...unowned(podCache, namespace)];
    const claims = planClaims(set, selectorFrom(set.spec.selector), candidates);
    const owned = await applyClaims(claims, { objects: podClient, owners: setClient, owner: set });
    return {
      set,
      nodes: nodeCache.list(),
      pods: await relabelled(set, history, owned),
      newest: history.newest,
      backoffMs: (nodeName) => backoff.remainingMs(backoffKey(set, nodeName)),
      now: clock.now(),
    };
  }

  /** Pods of revisions that hold the same template as the newest count as its own; those revisions go. */
  async function relabelled(
    set: Live<DaemonSet>,
    { revisions, newest }: History,
    owned: readonly Live<Pod>[],
  ): Promise<readonly Live<Pod>[]> {
    const same = revisions.filter((one) => one !== newest && holdsTemplate(one, set.spec.template));
    if (same.length === 0) return owned;
    const hash = newest.metadata.labels?.[hashLabel];
    const hashes = new Set(same.map(({ metadata }) => metadata.labels?.[hashLabel]));
    const patch = { metadata: { labels: { [hashLabel]: hash } } };
    const relabel = async (pod: Live<Pod>): Promise<Live<Pod>> => {
      const { namespace = '', name, labels } = pod.metadata;
      if (!hashes.has(labels?.[hashLabel])) return pod;
      return await podClient.patch({ namespace, name }, patch, { type: 'application/merge-patch+json' });
    };
    const result = await Promise.all(owned.map(relabel));
    await Promise.all(same.map((revision) => keeper.remove(revision)));
    return result;
  }

  /** Carries the plan out, new pods carefully; returns the first failure, if any. */
  async function act(observation: DaemonSetObservation, plan: DaemonSetPlan): Promise<unknown> {
    const { set } = observation;
    const create = plan.create.slice(0, burst);
    const created = await slowStart(create.length, async (index) => {
      const nodeName = create[index];
      if (nodeName !== undefined) await writer.create(set, daemonPod(observation, nodeName));
    });
    const deletions = plan.remove.slice(0, burst).map((removal) => remove(set, removal));
    const results = await Promise.allSettled(deletions);
    return created.error ?? results.find((result) => result.status === 'rejected')?.reason;
  }

  async function remove(set: Live<DaemonSet>, { pod, ended }: Removal): Promise<void> {
    const nodeName = targetNode(pod) ?? '';
    const found = `daemon pod ${pod.metadata.namespace ?? ''}/${pod.metadata.name} on node ${nodeName}`;
    if (ended === 'failed') {
      backoff.failed(backoffKey(set, nodeName));
      events.record(set, 'Warning', 'FailedDaemonPod', `Found failed ${found}, will try to kill it`);
    } else if (ended === 'succeeded') {
      events.record(set, 'Normal', 'SucceededDaemonPod', `Found succeeded ${found}, will try to delete it`);
    }
    await writer.delete(set, pod);
  }

  async function report(
    { set }: DaemonSetObservation,
    status: NonNullable<DaemonSet['status']>,
  ): Promise<void> {
    if (!deepEqual(status, set.status)) await setClient.updateStatus({ ...set, status });
  }

  async function truncate({ set, pods: owned }: DaemonSetObservation, history: History): Promise<void> {
    const live = new Set(owned.map(({ metadata }) => metadata.labels?.[hashLabel]));
    await keeper.truncate(set, history, {
      isLive: ({ metadata }) => live.has(metadata.labels?.[hashLabel]),
      counted: 'all',
    });
  }
}

/** The pod for one node; the scheduler binds it there. */
function daemonPod({ set, newest }: DaemonSetObservation, nodeName: string): Pod {
  const pod = podFromTemplate(daemonTemplate(set.spec.template, nodeName), set);
  const generation = templateGeneration(set);
  const labels = {
    ...pod.metadata.labels,
    ...(generation !== undefined && { [generationLabel]: generation }),
    [hashLabel]: newest.metadata.labels?.[hashLabel] ?? '',
  };
  return { ...pod, metadata: { ...pod.metadata, labels } };
}

function backoffKey({ metadata }: Live<DaemonSet>, nodeName: string): string {
  return `${metadata.uid}/${metadata.generation ?? 0}/${nodeName}`;
}
