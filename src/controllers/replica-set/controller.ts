import { replicasets, type ReplicaSet } from '../../api/apps/v1.gen.ts';
import { pods, type Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { selectorFrom, selectorMatches } from '../../machinery/selectors/label-selector.ts';
import { isStatus } from '../../machinery/status-error.ts';
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
import { applyClaims, planClaims } from '../pods/claim.ts';
import { podFromTemplate } from '../pods/pod-from-template.ts';
import { slowStart } from '../pods/slow-start.ts';
import {
  nextAvailability,
  planReplicas,
  planStatus,
  type ReplicaFailure,
  type ReplicaSetObservation,
} from './plan.ts';

/** Keeps as many pods of a ReplicaSet as it asks for. */
export const replicaSetController: Controller = {
  name: 'replicaset-controller',
  aliases: ['replicaset'],
  start,
};

function start(context: ControllerContext): RunningController {
  const { client, informers, events, clock } = context;
  const replicaSetCache = informers.for(replicasets);
  const podCache = informers.for(pods);
  const replicaSetClient = client.for(replicasets);
  const podClient = client.for(pods);
  const ownWrites = new OwnWrites(podCache);
  indexByController(podCache);
  indexByController(replicaSetCache);

  const reconciler = startReconciler(context, {
    name: replicaSetController.name,
    caches: [replicaSetCache, podCache],
    reconcile,
  });

  replicaSetCache.addHandler({
    onAdd: (replicaSet) => reconciler.add(objectKey(replicaSet)),
    onUpdate: (replicaSet) => reconciler.add(objectKey(replicaSet)),
    onDelete(replicaSet) {
      ownWrites.forget(objectKey(replicaSet));
      reconciler.add(objectKey(replicaSet));
    },
  });
  podCache.addHandler({
    onAdd: wakeOwners,
    onUpdate(pod, previous) {
      if (controllerOf(previous)?.uid !== controllerOf(pod)?.uid) wakeOwners(previous);
      wakeOwners(pod);
    },
    onDelete: wakeOwners,
  });
  return reconciler;

  /** Wakes the owner of a pod, or whoever may want to adopt it. */
  function wakeOwners(pod: Live<Pod>): void {
    const { namespace = '', labels } = pod.metadata;
    const owner = controllerOf(pod);
    if (owner) {
      if (owner.kind === 'ReplicaSet') reconciler.add(`${namespace}/${owner.name}`);
      return;
    }
    if (pod.metadata.deletionTimestamp !== undefined) return;
    for (const replicaSet of replicaSetCache.list(namespace)) {
      if (selectorMatches(selectorFrom(replicaSet.spec.selector), labels))
        reconciler.add(objectKey(replicaSet));
    }
  }

  async function reconcile(key: string): Promise<Outcome> {
    const replicaSet = byKey(replicaSetCache, key);
    if (!replicaSet) return settled;
    const caughtUp = ownWrites.observed(key);
    const observation = await observe(replicaSet);
    const failure = caughtUp ? await act(key, observation) : undefined;
    await report(observation, failure?.condition);
    if (failure) throw failure.error;
    const waitMs = nextAvailability(observation);
    return waitMs === undefined ? settled : recheck(waitMs);
  }

  async function observe(replicaSet: Live<ReplicaSet>): Promise<ReplicaSetObservation> {
    const { uid, namespace = '' } = replicaSet.metadata;
    const candidates = [...dependentsOf(podCache, uid), ...unowned(podCache, namespace)];
    const claims = planClaims(replicaSet, selectorFrom(replicaSet.spec.selector), candidates);
    const owned = await applyClaims(claims, {
      objects: podClient,
      owners: replicaSetClient,
      owner: replicaSet,
    });
    return { replicaSet, pods: owned, peers: peersOf(replicaSet), now: clock.now() };
  }

  function peersOf(replicaSet: Live<ReplicaSet>): readonly Pod[] {
    const owner = controllerOf(replicaSet);
    const siblings = owner ? dependentsOf(replicaSetCache, owner.uid) : [replicaSet];
    return siblings.flatMap((sibling) => dependentsOf(podCache, sibling.metadata.uid));
  }

  async function act(
    key: string,
    observation: ReplicaSetObservation,
  ): Promise<{ readonly condition: ReplicaFailure; readonly error: unknown } | undefined> {
    const { replicaSet } = observation;
    const plan = planReplicas(observation);
    const created = await slowStart(plan.create, () => createPod(key, replicaSet));
    if ('error' in created) return failed('FailedCreate', created.error);
    const deletions = await Promise.allSettled(plan.remove.map((pod) => deletePod(key, replicaSet, pod)));
    const refused = deletions.find((deletion) => deletion.status === 'rejected');
    return refused && failed('FailedDelete', refused.reason);
  }

  async function createPod(key: string, replicaSet: Live<ReplicaSet>): Promise<void> {
    const { template } = replicaSet.spec;
    if (!template) return;
    try {
      const pod = await podClient.create(podFromTemplate(template, replicaSet));
      ownWrites.wrote(key, pod);
      events.record(replicaSet, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
    } catch (error) {
      events.record(replicaSet, 'Warning', 'FailedCreate', `Error creating: ${messageOf(error)}`);
      throw error;
    }
  }

  async function deletePod(key: string, replicaSet: Live<ReplicaSet>, pod: Live<Pod>): Promise<void> {
    const { namespace = '', name, uid } = pod.metadata;
    try {
      await podClient.delete({ namespace, name }, { preconditions: { uid } });
    } catch (error) {
      if (isStatus(error, 'NotFound') || isStatus(error, 'Conflict')) return;
      events.record(replicaSet, 'Warning', 'FailedDelete', `Error deleting: ${messageOf(error)}`);
      throw error;
    }
    ownWrites.deleted(key, pod);
    events.record(replicaSet, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
  }

  async function report(
    observation: ReplicaSetObservation,
    failure: ReplicaFailure | undefined,
  ): Promise<void> {
    const { replicaSet } = observation;
    const status = planStatus(observation, failure);
    if (deepEqual(status, replicaSet.status)) return;
    await replicaSetClient.updateStatus({ ...replicaSet, status });
  }
}

function failed(
  reason: ReplicaFailure['reason'],
  error: unknown,
): { readonly condition: ReplicaFailure; readonly error: unknown } {
  return { condition: { reason, message: messageOf(error) }, error };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
