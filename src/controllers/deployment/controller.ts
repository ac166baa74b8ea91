import { deployments, replicasets, type Deployment, type ReplicaSet } from '../../api/apps/v1.gen.ts';
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
import { isNamespaceTerminating } from '../../reconcile/namespace-terminating.ts';
import { wakeOwners } from '../../reconcile/wake-owners.ts';
import { messageOf } from '../pods/refusal.ts';
import { generationsOf, planStep, type DeploymentObservation, type DeploymentStep } from './plan.ts';
import { revisionAnnotation, sizeAnnotations } from './revision.ts';
import type { Rollback } from './rollback.ts';
import type { Scaling } from './rolling.ts';
import { msUntilTimeout, refusedStatus, rolloutStatus } from './status.ts';
import { sameTemplate } from '../pods/template-hash.ts';

/** Rolls templates out over replica sets. */
export const deploymentController: Controller = {
  name: 'deployment-controller',
  aliases: ['deployment'],
  start,
};

function start(context: ControllerContext): RunningController {
  const { client, informers, events, clock } = context;
  const deploymentCache = informers.for(deployments);
  const replicaSetCache = informers.for(replicasets);
  const podCache = informers.for(pods);
  const deploymentClient = client.for(deployments);
  const replicaSetClient = client.for(replicasets);
  const ownWrites = new OwnWrites(replicaSetCache);
  indexByController(replicaSetCache);
  indexByController(podCache);

  const reconciler = startReconciler(context, {
    name: deploymentController.name,
    caches: [deploymentCache, replicaSetCache, podCache],
    reconcile,
  });
  deploymentCache.addHandler({
    onAdd: (deployment) => reconciler.add(objectKey(deployment)),
    onUpdate: (deployment) => reconciler.add(objectKey(deployment)),
    onDelete: (deployment) => ownWrites.forget(objectKey(deployment)),
  });
  wakeOwners({
    owners: deploymentCache,
    dependents: replicaSetCache,
    kind: 'Deployment',
    wants: ({ spec }, { metadata }) => selectorMatches(selectorFrom(spec.selector), metadata.labels),
    wake: (key) => reconciler.add(key),
  });
  podCache.addHandler({
    onDelete(pod) {
      const owner = controllerOf(pod);
      const replicaSet = owner && replicaSetCache.get(pod.metadata.namespace, owner.name);
      if (replicaSet?.metadata.uid === owner?.uid && replicaSet) wakeRecreating(replicaSet);
    },
  });
  return reconciler;

  /** A `Recreate` rollout goes on when the last pod of the earlier template is gone. */
  function wakeRecreating(replicaSet: Live<ReplicaSet>): void {
    const owner = controllerOf(replicaSet);
    const deployment = owner && deploymentCache.get(replicaSet.metadata.namespace, owner.name);
    if (deployment?.spec.strategy?.type === 'Recreate') reconciler.add(objectKey(deployment));
  }

  async function reconcile(key: string): Promise<Outcome> {
    const deployment = byKey(deploymentCache, key);
    if (!deployment || !ownWrites.observed(key)) return settled;
    const observation = await observe(deployment);
    const step = planStep(observation);
    if (step.step === 'rollback') return await rollBack(step.rollback);
    const acted = await act(key, observation, step);
    const status = await report({ ...observation, replicaSets: acted });
    const waitMs = msUntilTimeout(deployment, status, clock.now());
    return waitMs === undefined ? settled : recheck(waitMs);
  }

  /** The deployment that is written starts a rollout of its own. */
  async function rollBack({ deployment, event }: Rollback): Promise<Outcome> {
    const written = await deploymentClient.update(deployment);
    events.record(written, event.type, event.reason, event.message);
    return settled;
  }

  async function observe(deployment: Live<Deployment>): Promise<DeploymentObservation> {
    const { uid, namespace = '' } = deployment.metadata;
    const candidates = [...dependentsOf(replicaSetCache, uid), ...unowned(replicaSetCache, namespace)];
    const claims = planClaims(deployment, selectorFrom(deployment.spec.selector), candidates);
    const replicaSets = await applyClaims(claims, {
      objects: replicaSetClient,
      owners: deploymentClient,
      owner: deployment,
    });
    const podsOf = (replicaSet: Live<ReplicaSet>): readonly Live<Pod>[] =>
      dependentsOf(podCache, replicaSet.metadata.uid);
    return { deployment, replicaSets, podsOf, now: clock.now() };
  }

  /** Takes the step; returns the replica sets as they are afterwards. */
  async function act(
    key: string,
    { deployment, replicaSets }: DeploymentObservation,
    step: DeploymentStep,
  ): Promise<readonly Live<ReplicaSet>[]> {
    switch (step.step) {
      case 'create': {
        const created = await create(deployment, step.replicaSet);
        ownWrites.wrote(key, created);
        return [...replicaSets, created];
      }
      case 'update':
        return replaced(replicaSets, [await write(key, step.replicaSet)]);
      case 'scale':
        return replaced(
          replicaSets,
          await Promise.all(step.scalings.map((one) => scale(key, deployment, one))),
        );
      case 'clean':
        await Promise.all(step.remove.map(({ metadata }) => remove(metadata.namespace ?? '', metadata.name)));
        return replicaSets.filter((replicaSet) => !step.remove.includes(replicaSet));
      default:
        return replicaSets;
    }
  }

  async function create(deployment: Live<Deployment>, draft: ReplicaSet): Promise<Live<ReplicaSet>> {
    const { name = '', namespace = '' } = draft.metadata;
    try {
      const created = await replicaSetClient.create(draft);
      const size = created.spec.replicas ?? 0;
      if (size > 0) recordScaling(deployment, { replicaSet: created, replicas: size }, 0);
      return created;
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) {
        if (!isNamespaceTerminating(error)) await reportRefusal(deployment, name, error);
        throw error;
      }
      const existing = await replicaSetClient.get({ namespace, name });
      const ours = controllerOf(existing)?.uid === deployment.metadata.uid;
      if (ours && sameTemplate(existing.spec.template, deployment.spec.template)) return existing;
      const collisionCount = (deployment.status?.collisionCount ?? 0) + 1;
      await deploymentClient.updateStatus({
        ...deployment,
        status: { ...deployment.status, collisionCount },
      });
      throw error;
    }
  }

  async function reportRefusal(deployment: Live<Deployment>, name: string, error: unknown): Promise<void> {
    const message = `Failed to create new replica set "${name}": ${messageOf(error)}`;
    events.record(deployment, 'Warning', 'ReplicaSetCreateError', message);
    const status = refusedStatus(deployment, message, clock.now());
    if (!deepEqual(status, deployment.status)) await deploymentClient.updateStatus({ ...deployment, status });
  }

  async function scale(
    key: string,
    deployment: Live<Deployment>,
    scaling: Scaling,
  ): Promise<Live<ReplicaSet>> {
    const { replicaSet, replicas } = scaling;
    const before = replicaSet.spec.replicas ?? 1;
    const annotations = { ...replicaSet.metadata.annotations, ...sizeAnnotations(deployment) };
    const scaled = await write(key, {
      ...replicaSet,
      metadata: { ...replicaSet.metadata, annotations },
      spec: { ...replicaSet.spec, replicas },
    });
    if (before !== replicas) recordScaling(deployment, scaling, before);
    return scaled;
  }

  function recordScaling(
    deployment: Live<Deployment>,
    { replicaSet, replicas }: Scaling,
    before: number,
  ): void {
    const direction = replicas > before ? 'up' : 'down';
    const message = `Scaled ${direction} replica set ${replicaSet.metadata.name} from ${before} to ${replicas}`;
    events.record(deployment, 'Normal', 'ScalingReplicaSet', message);
  }

  async function write(key: string, replicaSet: Live<ReplicaSet>): Promise<Live<ReplicaSet>> {
    const written = await replicaSetClient.update(replicaSet);
    ownWrites.wrote(key, written);
    return written;
  }

  async function remove(namespace: string, name: string): Promise<void> {
    try {
      await replicaSetClient.delete({ namespace, name });
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }

  async function report(observation: DeploymentObservation): Promise<NonNullable<Deployment['status']>> {
    const { deployment } = observation;
    const generations = generationsOf(observation);
    const status = rolloutStatus(observation, generations);
    const metadata = withRevision(deployment, generations.newest);
    if (metadata !== deployment.metadata || !deepEqual(status, deployment.status)) {
      await deploymentClient.updateStatus({ ...deployment, metadata, status });
    }
    return status;
  }
}

function replaced(
  replicaSets: readonly Live<ReplicaSet>[],
  written: readonly Live<ReplicaSet>[],
): readonly Live<ReplicaSet>[] {
  return replicaSets.map(
    (replicaSet) => written.find(({ metadata }) => metadata.uid === replicaSet.metadata.uid) ?? replicaSet,
  );
}

/** A deployment carries the revision of its newest replica set; written with the status, it is no new generation. */
function withRevision(
  { metadata }: Live<Deployment>,
  newest: Live<ReplicaSet> | undefined,
): Live<Deployment>['metadata'] {
  const revision = newest?.metadata.annotations?.[revisionAnnotation];
  if (revision === undefined || metadata.annotations?.[revisionAnnotation] === revision) return metadata;
  return { ...metadata, annotations: { ...metadata.annotations, [revisionAnnotation]: revision } };
}
