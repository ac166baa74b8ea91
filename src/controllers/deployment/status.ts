import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from '../../api/apps/v1.gen.ts';
import { timestamp } from '../../base/clock.ts';
import { conditionOf, withCondition, withoutCondition } from '../../reconcile/conditions.ts';
import { omitZero } from '../../reconcile/omit-zero.ts';
import type { DeploymentObservation, Generations } from './plan.ts';
import { revisionOf } from './revision.ts';
import { availableReplicas, maxUnavailableOf, specReplicas } from './rolling.ts';

/** Upstream's `math.MaxInt32`: no progress deadline. */
const noDeadline = 2_147_483_647;

type Conditions = readonly DeploymentCondition[];

/** The status that the replica sets add up to, with its conditions. */
export function rolloutStatus(
  observation: DeploymentObservation,
  generations: Generations,
): DeploymentStatus {
  const { deployment, now } = observation;
  const counted = countStatus(observation, generations);
  let conditions = withAvailability(deployment, counted, now);
  conditions = withPaused(deployment, conditions, now);
  conditions = withProgress({ deployment, counted, conditions, generations, now });
  conditions = withReplicaFailure(generations, conditions, now);
  return { ...counted, ...(conditions.length > 0 && { conditions }) };
}

/** The status after the server refused to create the replica set of the current template. */
export function refusedStatus(deployment: Deployment, message: string, now: number): DeploymentStatus {
  const conditions = deployment.status?.conditions ?? [];
  if (!hasDeadline(deployment)) return { ...deployment.status };
  const refused = progress('False', { reason: 'ReplicaSetCreateError', message }, now);
  return { ...deployment.status, conditions: withCondition(conditions, refused) };
}

function countStatus(
  { deployment, replicaSets }: DeploymentObservation,
  { newest }: Generations,
): DeploymentStatus {
  const sum = (count: (replicaSet: ReplicaSet) => number | undefined): number =>
    replicaSets.reduce((total, replicaSet) => total + (count(replicaSet) ?? 0), 0);
  const available = availableReplicas(replicaSets);
  const collisionCount = deployment.status?.collisionCount;
  return {
    ...omitZero({
      observedGeneration: deployment.metadata.generation,
      replicas: sum(({ status }) => status?.replicas),
      updatedReplicas: newest?.status?.replicas,
      readyReplicas: sum(({ status }) => status?.readyReplicas),
      availableReplicas: available,
      unavailableReplicas: Math.max(0, specReplicas(replicaSets) - available),
    }),
    terminatingReplicas: sum(({ status }) => status?.terminatingReplicas),
    ...(collisionCount !== undefined && { collisionCount }),
  };
}

function withAvailability(deployment: Deployment, counted: DeploymentStatus, now: number): Conditions {
  const minimum = (deployment.spec.replicas ?? 1) - maxUnavailableOf(deployment);
  const available = (counted.availableReplicas ?? 0) >= minimum;
  return withCondition(deployment.status?.conditions ?? [], {
    type: 'Available',
    status: available ? 'True' : 'False',
    reason: available ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
    message: `Deployment ${available ? 'has' : 'does not have'} minimum availability.`,
    ...at(now),
  });
}

/** A pause stops the clock of the progress deadline; resuming starts it again. */
function withPaused(deployment: Deployment, conditions: Conditions, now: number): Conditions {
  const progressing = conditionOf(conditions, 'Progressing');
  if (!hasDeadline(deployment) || progressing?.reason === 'ProgressDeadlineExceeded') return conditions;
  const wasPaused = progressing?.reason === 'DeploymentPaused';
  if (deployment.spec.paused === true && !wasPaused) {
    const paused = { reason: 'DeploymentPaused', message: 'Deployment is paused' };
    return withCondition(conditions, { type: 'Progressing', status: 'Unknown', ...paused, ...at(now) });
  }
  if (deployment.spec.paused !== true && wasPaused) {
    const resumed = { reason: 'DeploymentResumed', message: 'Deployment is resumed' };
    return withCondition(conditions, { type: 'Progressing', status: 'Unknown', ...resumed, ...at(now) });
  }
  return conditions;
}

interface ProgressInput {
  readonly deployment: Deployment;
  readonly counted: DeploymentStatus;
  readonly conditions: Conditions;
  readonly generations: Generations;
  readonly now: number;
}

function withProgress(input: ProgressInput): Conditions {
  const { deployment, counted, conditions, generations, now } = input;
  if (!hasDeadline(deployment)) return withoutCondition(conditions, 'Progressing');
  if (deployment.spec.paused) return conditions;
  const current = conditionOf(conditions, 'Progressing');
  const settled =
    (counted.replicas ?? 0) === (counted.updatedReplicas ?? 0) &&
    current?.reason === 'NewReplicaSetAvailable' &&
    !isNewRevision(deployment, generations);
  if (settled) return conditions;
  const subject = generations.newest
    ? `ReplicaSet "${generations.newest.metadata.name}"`
    : `Deployment "${deployment.metadata.name}"`;
  if (isComplete(deployment, counted)) {
    const message = `${subject} has successfully progressed.`;
    return withCondition(conditions, progress('True', { reason: 'NewReplicaSetAvailable', message }, now));
  }
  if (madeProgress(deployment.status ?? {}, counted)) {
    const next = progress(
      'True',
      { reason: 'ReplicaSetUpdated', message: `${subject} is progressing.` },
      now,
    );
    const kept = current?.status === 'True' && current.lastTransitionTime !== undefined;
    return [
      ...withoutCondition(conditions, 'Progressing'),
      kept ? { ...next, lastTransitionTime: current.lastTransitionTime } : next,
    ];
  }
  if (current && !isFresh(generations) && msUntilDeadline(deployment, current, now) === 0) {
    const message = `${subject} has timed out progressing.`;
    return withCondition(conditions, progress('False', { reason: 'ProgressDeadlineExceeded', message }, now));
  }
  return isFresh(generations) || !current ? withBeginning(input) : conditions;
}

/** Whether the deployment has not reported on its newest replica set yet: their revisions differ. */
function isNewRevision(deployment: Deployment, { newest }: Generations): boolean {
  return newest !== undefined && revisionOf(newest) !== revisionOf(deployment);
}

/** A rollout begins with the creation of its replica set, or with one found that has its template. */
function withBeginning({ conditions, generations, now }: ProgressInput): Conditions {
  const { newest } = generations;
  if (!newest) return conditions;
  const why = isFresh(generations)
    ? { reason: 'NewReplicaSetCreated', message: `Created new replica set "${newest.metadata.name}"` }
    : { reason: 'FoundNewReplicaSet', message: `Found new replica set "${newest.metadata.name}"` };
  return withCondition(conditions, progress('True', why, now));
}

/** Whether nobody has looked at the newest replica set since it was created. */
function isFresh({ newest }: Generations): boolean {
  return newest !== undefined && newest.status?.observedGeneration === undefined;
}

function withReplicaFailure({ newest, older }: Generations, conditions: Conditions, now: number): Conditions {
  const failures = [newest, ...older].map((one) => conditionOf(one?.status?.conditions, 'ReplicaFailure'));
  const failure = failures.find((condition) => condition !== undefined);
  if (!failure) return withoutCondition(conditions, 'ReplicaFailure');
  return withCondition(conditions, { ...failure, lastUpdateTime: timestamp(now) });
}

/** Whether the rollout is over: every wanted pod has the newest template and is available, and no other is left. */
export function isComplete({ spec, metadata }: Deployment, status: DeploymentStatus): boolean {
  const replicas = spec.replicas ?? 1;
  return (
    (status.updatedReplicas ?? 0) === replicas &&
    (status.replicas ?? 0) === replicas &&
    (status.availableReplicas ?? 0) === replicas &&
    (status.observedGeneration ?? 0) >= (metadata.generation ?? 0)
  );
}

function madeProgress(before: DeploymentStatus, after: DeploymentStatus): boolean {
  const olderReplicas = (status: DeploymentStatus): number =>
    (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    (after.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    olderReplicas(after) < olderReplicas(before) ||
    (after.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (after.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

/** Milliseconds until a rollout without progress counts as failed; undefined when none is under way. */
export function msUntilTimeout(
  deployment: Deployment,
  status: DeploymentStatus,
  now: number,
): number | undefined {
  const current = conditionOf(status.conditions, 'Progressing');
  if (!current || !hasDeadline(deployment) || deployment.spec.paused || isComplete(deployment, status))
    return undefined;
  if (current.reason === 'NewReplicaSetAvailable' || current.reason === 'ProgressDeadlineExceeded')
    return undefined;
  return msUntilDeadline(deployment, current, now) + 1000;
}

function msUntilDeadline(deployment: Deployment, current: DeploymentCondition, now: number): number {
  if (current.reason === 'NewReplicaSetAvailable') return Number.POSITIVE_INFINITY;
  const deadline =
    Date.parse(current.lastUpdateTime ?? '') + (deployment.spec.progressDeadlineSeconds ?? 600) * 1000;
  return Math.max(0, deadline - now);
}

function hasDeadline({ spec }: Deployment): boolean {
  return (spec.progressDeadlineSeconds ?? 600) !== noDeadline;
}

function progress(
  status: 'True' | 'False',
  why: { readonly reason: string; readonly message: string },
  now: number,
): DeploymentCondition {
  return { type: 'Progressing', status, ...why, ...at(now) };
}

function at(now: number): { readonly lastUpdateTime: string; readonly lastTransitionTime: string } {
  return { lastUpdateTime: timestamp(now), lastTransitionTime: timestamp(now) };
}
