import type { Deployment, ReplicaSet } from '../../api/apps/v1.gen.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { deepEqual } from '../../reconcile/deep-equal.ts';
import { controllerReference } from '../../reconcile/owner.ts';
import { isPodFinished } from '../pods/pod-state.ts';
import { isResized, resize } from './proportional.ts';
import { newestAnnotations, nextRevision, revisionOf, sizeAnnotations } from './revision.ts';
import { planRollback, wantsRollback, type Rollback } from './rollback.ts';
import { byAge, changed, newestSize, shrinkOlder, type Scaling } from './rolling.ts';
import { isComplete, rolloutStatus } from './status.ts';
import { podTemplateHash, sameTemplate, templateHashLabel } from '../pods/template-hash.ts';

export interface DeploymentObservation {
  readonly deployment: Live<Deployment>;
  /** Every replica set it owns. */
  readonly replicaSets: readonly Live<ReplicaSet>[];
  /** The pods of a replica set. */
  podsOf(replicaSet: Live<ReplicaSet>): readonly Pod[];
  readonly now: number;
}

/** Replica sets of the current template and of earlier ones. */
export interface Generations {
  readonly newest: Live<ReplicaSet> | undefined;
  readonly older: readonly Live<ReplicaSet>[];
}

/** The one thing to do next; its effects come back as changes of the replica sets. */
export type DeploymentStep =
  | { readonly step: 'create'; readonly replicaSet: ReplicaSet }
  | { readonly step: 'update'; readonly replicaSet: Live<ReplicaSet> }
  | { readonly step: 'scale'; readonly scalings: readonly Scaling[] }
  | { readonly step: 'clean'; readonly remove: readonly Live<ReplicaSet>[] }
  | { readonly step: 'rollback'; readonly rollback: Rollback }
  | { readonly step: 'wait' };

const wait: DeploymentStep = { step: 'wait' };

/** Tells the replica set of the current template (the oldest, should there be several) from the others. */
export function generationsOf({ deployment, replicaSets }: DeploymentObservation): Generations {
  const newest = byAge(replicaSets).find(({ spec }) => sameTemplate(spec.template, deployment.spec.template));
  return { newest, older: replicaSets.filter((replicaSet) => replicaSet !== newest) };
}

/** The next step towards the deployment's template and size. */
export function planStep(observation: DeploymentObservation): DeploymentStep {
  const { deployment, replicaSets } = observation;
  const generations = generationsOf(observation);
  if (deployment.metadata.deletionTimestamp !== undefined) return wait;
  const refresh = generations.newest && planRefresh(deployment, generations.newest, generations.older);
  if (refresh) return refresh;
  if (deployment.spec.paused) return planResize(deployment, generations);
  if (wantsRollback(deployment)) {
    if (!generations.newest) return planCreation(deployment, generations.older);
    return { step: 'rollback', rollback: planRollback(deployment, replicaSets) };
  }
  if (deployment.spec.strategy?.type === 'Recreate') return planRecreate(observation, generations);
  if (isResized(deployment, replicaSets)) return planResize(deployment, generations);
  return planRolling(observation, generations);
}

/** Brings annotations and `minReadySeconds` of the newest replica set up to date. */
function planRefresh(
  deployment: Deployment,
  newest: Live<ReplicaSet>,
  older: readonly Live<ReplicaSet>[],
): DeploymentStep | undefined {
  const annotations = newestAnnotations(deployment, newest, nextRevision(older));
  const minReadySeconds = deployment.spec.minReadySeconds ?? 0;
  const current = deepEqual(annotations, newest.metadata.annotations ?? {});
  if (current && (newest.spec.minReadySeconds ?? 0) === minReadySeconds) return undefined;
  return {
    step: 'update',
    replicaSet: {
      ...newest,
      metadata: { ...newest.metadata, annotations },
      spec: { ...newest.spec, minReadySeconds },
    },
  };
}

function planResize(deployment: Deployment, { newest, older }: Generations): DeploymentStep {
  const scalings = resize(deployment, newest, older).filter(
    ({ replicaSet, replicas }) =>
      (replicaSet.spec.replicas ?? 1) !== replicas ||
      (!deployment.spec.paused && isResized(deployment, [replicaSet])),
  );
  if (scalings.length > 0) return { step: 'scale', scalings };
  return deployment.spec.paused ? planCleaning(deployment, older) : wait;
}

function planRolling(observation: DeploymentObservation, { newest, older }: Generations): DeploymentStep {
  const { deployment } = observation;
  if (!newest) return planCreation(deployment, older);
  const growth = changed([{ replicaSet: newest, replicas: newestSize(deployment, newest, older) }]);
  if (growth.length > 0) return { step: 'scale', scalings: growth };
  const shrinking = shrinkOlder(deployment, newest, older);
  if (shrinking.length > 0) return { step: 'scale', scalings: shrinking };
  return cleanWhenComplete(observation, older);
}

function planRecreate(observation: DeploymentObservation, { newest, older }: Generations): DeploymentStep {
  const { deployment, podsOf } = observation;
  const shrinking = changed(older.map((replicaSet) => ({ replicaSet, replicas: 0 })));
  if (shrinking.length > 0) return { step: 'scale', scalings: shrinking };
  if (older.some((replicaSet) => podsOf(replicaSet).some((pod) => !isPodFinished(pod)))) return wait;
  if (!newest) return planCreation(deployment, older);
  const growth = changed([{ replicaSet: newest, replicas: deployment.spec.replicas ?? 1 }]);
  if (growth.length > 0) return { step: 'scale', scalings: growth };
  return cleanWhenComplete(observation, older);
}

/** The replica set of a new template, at the size that it may have at once. */
function planCreation(deployment: Live<Deployment>, older: readonly Live<ReplicaSet>[]): DeploymentStep {
  const { template, minReadySeconds, selector } = deployment.spec;
  const { name, namespace = '' } = deployment.metadata;
  const hash = podTemplateHash(template, deployment.status?.collisionCount);
  const labels = { ...template.metadata?.labels, [templateHashLabel]: hash };
  const replicaSet: ReplicaSet = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${name}-${hash}`,
      namespace,
      labels,
      annotations: {
        ...newestAnnotations(deployment, undefined, nextRevision(older)),
        ...sizeAnnotations(deployment),
      },
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas: newestSize(deployment, undefined, older),
      ...(minReadySeconds !== undefined && { minReadySeconds }),
      selector: { ...selector, matchLabels: { ...selector.matchLabels, [templateHashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  };
  return { step: 'create', replicaSet };
}

function cleanWhenComplete(
  observation: DeploymentObservation,
  older: readonly Live<ReplicaSet>[],
): DeploymentStep {
  const { deployment } = observation;
  const done = isComplete(deployment, rolloutStatus(observation, generationsOf(observation)));
  return done ? planCleaning(deployment, older) : wait;
}

/** Drops empty replica sets beyond the history limit, lowest revisions first. */
function planCleaning(deployment: Deployment, older: readonly Live<ReplicaSet>[]): DeploymentStep {
  const alive = older.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
  const surplus = alive.length - (deployment.spec.revisionHistoryLimit ?? 10);
  if (surplus <= 0) return wait;
  const remove = byAge(alive)
    .sort((a, b) => (revisionOf(a) < revisionOf(b) ? -1 : 1))
    .slice(0, surplus)
    .filter(isEmpty);
  return remove.length > 0 ? { step: 'clean', remove } : wait;
}

function isEmpty({ status, spec, metadata }: Live<ReplicaSet>): boolean {
  if (spec.replicas !== 0 || (status?.replicas ?? 0) !== 0) return false;
  return (metadata.generation ?? 0) <= (status?.observedGeneration ?? 0);
}
