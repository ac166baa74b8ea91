import type { ReplicaSetStatus } from '../../api/apps/v1.gen.ts';
import { pods, type Pod } from '../../api/core/v1.gen.ts';
import type { Live, ResourceType } from '../../machinery/object.ts';
import { type Selector, selectorMatches } from '../../machinery/selectors/label-selector.ts';
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
import { PacedWaking } from '../../reconcile/paced-waking.ts';
import { byKey, objectKey, startReconciler } from '../../reconcile/reconciler.ts';
import { wakeOwners } from '../../reconcile/wake-owners.ts';
import { applyClaims, planClaims } from '../pods/claim.ts';
import { podFromTemplate } from '../pods/pod-from-template.ts';
import { podWriter } from '../pods/pod-writer.ts';
import { messageOf } from '../pods/refusal.ts';
import { slowStart } from '../pods/slow-start.ts';
import {
  nextAvailability,
  planReplicas,
  planStatus,
  type ReplicaFailure,
  type ReplicaObservation,
  type Replicated,
} from './plan.ts';

/** What differs between the kinds that keep a number of pods. */
export interface ReplicatedKind<T extends Replicated> {
  /** The controller's name and short name. */
  readonly name: string;
  readonly alias: string;
  readonly type: ResourceType<T>;
  selector(owner: T): Selector;
  withStatus(owner: Live<T>, status: ReplicaSetStatus): T;
}

/** Keeps as many pods of every object of the kind as it asks for. */
export function replicaController<T extends Replicated>(kind: ReplicatedKind<T>): Controller {
  return { name: kind.name, aliases: [kind.alias], start: (context) => start(kind, context) };
}

function start<T extends Replicated>(kind: ReplicatedKind<T>, context: ControllerContext): RunningController {
  const { client, informers, clock } = context;
  const ownerCache = informers.for(kind.type);
  const podCache = informers.for(pods);
  const ownerClient = client.for(kind.type);
  const podClient = client.for(pods);
  const ownWrites = new OwnWrites(podCache);
  const writer = podWriter(context, ownWrites);
  indexByController(podCache);
  indexByController(ownerCache);

  const reconciler = startReconciler(context, {
    name: kind.name,
    caches: [ownerCache, podCache],
    reconcile,
  });

  const waking = new PacedWaking(reconciler);
  const atOnce = { wake: (key: string): void => reconciler.add(key) };
  ownerCache.addHandler({
    onAdd: (owner) => reconciler.add(objectKey(owner)),
    onUpdate(owner, previous) {
      const asked = owner.metadata.generation !== previous.metadata.generation;
      (asked ? atOnce : waking).wake(objectKey(owner));
    },
    onDelete(owner) {
      ownWrites.forget(objectKey(owner));
      waking.forget(objectKey(owner));
      reconciler.add(objectKey(owner));
    },
  });
  wakeOwners({
    owners: ownerCache,
    dependents: podCache,
    kind: kind.type.kind,
    wants: (owner, { metadata }) => selectorMatches(kind.selector(owner), metadata.labels),
    wake: (key, cause) => (cause === 'changed' || cause === 'went' ? waking : atOnce).wake(key),
  });
  return reconciler;

  async function reconcile(key: string): Promise<Outcome> {
    const owner = byKey(ownerCache, key);
    if (!owner) return settled;
    const caughtUp = ownWrites.observed(key);
    const observation = await observe(owner);
    const failure = caughtUp ? await act(observation) : undefined;
    await report(observation, failure?.condition);
    if (failure) throw failure.error;
    const waitMs = nextAvailability(observation);
    return waitMs === undefined ? settled : recheck(waitMs);
  }

  async function observe(owner: Live<T>): Promise<ReplicaObservation<T>> {
    const { uid, namespace = '' } = owner.metadata;
    const candidates = [...dependentsOf(podCache, uid), ...unowned(podCache, namespace)];
    const claims = planClaims(owner, kind.selector(owner), candidates);
    const owned = await applyClaims(claims, {
      objects: podClient,
      owners: ownerClient,
      owner,
    });
    waking.observed(objectKey(owner), owned.length);
    return {
      owner,
      pods: owned,
      get peers() {
        return peersOf(owner);
      },
      now: clock.now(),
    };
  }

  function peersOf(owner: Live<T>): readonly Pod[] {
    const above = controllerOf(owner);
    const siblings = above ? dependentsOf(ownerCache, above.uid) : [owner];
    return siblings.flatMap((sibling) => dependentsOf(podCache, sibling.metadata.uid));
  }

  async function create(owner: Live<T>): Promise<void> {
    if (owner.spec.template) await writer.create(owner, podFromTemplate(owner.spec.template, owner));
  }

  async function act(
    observation: ReplicaObservation<T>,
  ): Promise<{ readonly condition: ReplicaFailure; readonly error: unknown } | undefined> {
    const { owner } = observation;
    const plan = planReplicas(observation);
    const created = await slowStart(plan.create, () => create(owner));
    if ('error' in created) return failed('FailedCreate', created.error);
    const deletions = await Promise.allSettled(plan.remove.map((pod) => writer.delete(owner, pod)));
    const refused = deletions.find((deletion) => deletion.status === 'rejected');
    return refused && failed('FailedDelete', refused.reason);
  }

  async function report(
    observation: ReplicaObservation<T>,
    failure: ReplicaFailure | undefined,
  ): Promise<void> {
    const { owner } = observation;
    const status = planStatus(observation, failure);
    const next = kind.withStatus(owner, status);
    if (deepEqual(next.status, owner.status)) return;
    await ownerClient.updateStatus(next);
  }
}

function failed(
  reason: ReplicaFailure['reason'],
  error: unknown,
): { readonly condition: ReplicaFailure; readonly error: unknown } {
  return { condition: { reason, message: messageOf(error) }, error };
}
