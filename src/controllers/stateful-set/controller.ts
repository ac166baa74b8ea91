import { statefulsets, type ControllerRevision, type StatefulSet } from '../../api/apps/v1.gen.ts';
import { persistentvolumeclaims, pods, type PersistentVolumeClaim, type Pod } from '../../api/core/v1.gen.ts';
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
import { slowStart } from '../pods/slow-start.ts';
import { keepRevisions, type History } from '../revisions/history.ts';
import { ordinalOf, revisionOf } from './identity.ts';
import type { StatefulSetObservation } from './observation.ts';
import { planSteps, type StatefulSetStep } from './plan.ts';
import { nextAvailability, planStatus } from './status.ts';
import { stepWriter } from './write-step.ts';

/** Keeps numbered pods, each with a name and claims of its own. */
export const statefulSetController: Controller = {
  name: 'statefulset-controller',
  aliases: ['statefulset'],
  start,
};

function start(context: ControllerContext): RunningController {
  const { client, informers, clock } = context;
  const setCache = informers.for(statefulsets);
  const podCache = informers.for(pods);
  const claimCache = informers.for(persistentvolumeclaims);
  const setClient = client.for(statefulsets);
  const ownWrites = new OwnWrites(podCache);
  const keeper = keepRevisions(context, { owners: setClient, hashLabel: 'controller.kubernetes.io/hash' });
  indexByController(podCache);

  const reconciler = startReconciler(context, {
    name: statefulSetController.name,
    caches: [setCache, podCache, claimCache, keeper.cache],
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
    kind: 'StatefulSet',
    wants: (set, { metadata }) =>
      ordinalOf(set, metadata.name) !== undefined &&
      selectorMatches(selectorFrom(set.spec.selector), metadata.labels),
    wake: (key) => reconciler.add(key),
  });
  claimCache.addHandler({ onUpdate: wakeUsers, onDelete: wakeUsers });
  keeper.cache.addHandler({ onDelete: wakeRevised });
  return reconciler;

  /** Wakes the set that a claim's name says it is for: its pod may wait for the claim, or for its end. */
  function wakeUsers({ metadata }: Live<PersistentVolumeClaim>): void {
    for (const set of setCache.list(metadata.namespace ?? '')) {
      const named = set.spec.volumeClaimTemplates?.some((template) =>
        metadata.name.startsWith(`${template.metadata.name ?? ''}-${set.metadata.name}-`),
      );
      if (named) reconciler.add(objectKey(set));
    }
  }

  function wakeRevised({ metadata, ...revision }: Live<ControllerRevision>): void {
    const owner = controllerOf({ ...revision, metadata });
    if (owner?.kind === 'StatefulSet') reconciler.add(`${metadata.namespace ?? ''}/${owner.name}`);
  }

  async function reconcile(key: string): Promise<Outcome> {
    const set = byKey(setCache, key);
    if (!set || set.metadata.deletionTimestamp !== undefined || !ownWrites.observed(key)) return settled;
    const history = await keeper.record(set);
    const observation = await observe(set, history);
    const failure = await act(key, observation, planSteps(observation));
    await report(observation, history.collisionCount);
    if (failure !== undefined) throw failure;
    await truncate(observation, history);
    const waitMs = nextAvailability(observation);
    return waitMs === undefined ? settled : recheck(waitMs);
  }

  async function observe(
    set: Live<StatefulSet>,
    { revisions, newest }: History,
  ): Promise<StatefulSetObservation> {
    const { uid, namespace = '' } = set.metadata;
    const candidates = [...dependentsOf(podCache, uid), ...unowned(podCache, namespace)];
    const isMember = (pod: Live<Pod>): boolean => ordinalOf(set, pod.metadata.name) !== undefined;
    const claims = planClaims(set, selectorFrom(set.spec.selector), candidates, isMember);
    return {
      set,
      pods: await applyClaims(claims, { objects: client.for(pods), owners: setClient, owner: set }),
      claim: (name) => claimCache.get(namespace, name),
      current: revisions.find(({ metadata }) => metadata.name === set.status?.currentRevision) ?? newest,
      update: newest,
      now: clock.now(),
    };
  }

  /**
   * Takes the steps, new pods carefully; returns the first failure, if any. Pods go only when all else was done, or their
   * claims would stay behind without the owner they should go with.
   */
  async function act(
    key: string,
    { set }: StatefulSetObservation,
    steps: readonly StatefulSetStep[],
  ): Promise<unknown> {
    const writer = stepWriter(context, set);
    const take = async (step: StatefulSetStep): Promise<void> => {
      const written = await writer.write(step);
      if (written?.step === 'create') ownWrites.wrote(key, written.pod);
      if (written?.step === 'delete') ownWrites.deleted(key, written.pod);
    };
    const of = (...names: readonly StatefulSetStep['step'][]): StatefulSetStep[] =>
      steps.filter(({ step }) => names.includes(step));
    const creations = of('create', 'refuse').map((step) => () => take(step));
    const created = await slowStart(creations.length, async (index) => await creations[index]?.());
    const cared = await Promise.allSettled(of('provide', 'own', 'repair').map(take));
    const failure = created.error ?? firstFailure(cared);
    if (failure !== undefined) return failure;
    return firstFailure(await Promise.allSettled(of('delete').map(take)));
  }

  async function report(observation: StatefulSetObservation, collisionCount: number): Promise<void> {
    const { set } = observation;
    const status = planStatus(observation, collisionCount);
    if (!deepEqual(status, set.status)) await setClient.updateStatus({ ...set, status });
  }

  async function truncate(
    { set, pods: members, current }: StatefulSetObservation,
    history: History,
  ): Promise<void> {
    const live = new Set([current.metadata.name, ...members.map(revisionOf)]);
    await keeper.truncate(set, history, {
      isLive: ({ metadata }) => live.has(metadata.name),
      counted: 'unused',
    });
  }
}

function firstFailure(results: readonly PromiseSettledResult<void>[]): unknown {
  return results.find((result) => result.status === 'rejected')?.reason;
}
