import type { Deployment, ReplicaSet } from '../api/apps/v1.gen.ts';
import type { Job } from '../api/batch/v1.gen.ts';
import type { Pod } from '../api/core/v1.gen.ts';
import type { KubeObject } from '../machinery/object.ts';

/** How far a workload is: `reason` says what is missing, or why it can never be ready. */
export type Readiness =
  | { readonly state: 'ready' }
  | { readonly state: 'waiting' | 'failed'; readonly reason: string };

const ready: Readiness = { state: 'ready' };

/** Kinds whose readiness is known, by `apiVersion` and kind. */
const rules: Readonly<Record<string, (object: never) => Readiness>> = {
  'apps/v1 Deployment': deploymentReadiness,
  'apps/v1 ReplicaSet': replicaSetReadiness,
  'batch/v1 Job': jobReadiness,
  'v1 Pod': podReadiness,
};

/** Whether objects of this kind become ready at all. */
export function isWorkload({ apiVersion, kind }: KubeObject): boolean {
  return Object.hasOwn(rules, `${apiVersion} ${kind}`);
}

/** How far a workload is; objects of other kinds are ready. */
export function readinessOf(object: KubeObject): Readiness {
  const rule = rules[`${object.apiVersion} ${object.kind}`];
  return rule ? rule(object as never) : ready;
}

function waiting(reason: string): Readiness {
  return { state: 'waiting', reason };
}

function deploymentReadiness({ metadata, spec, status }: Deployment): Readiness {
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0))
    return waiting('waits for its controller');
  const stalled = status?.conditions?.find(
    ({ type, reason }) => type === 'Progressing' && reason === 'ProgressDeadlineExceeded',
  );
  if (stalled) return { state: 'failed', reason: stalled.message ?? 'exceeded its progress deadline' };
  const wanted = spec?.replicas ?? 1;
  const { updatedReplicas = 0, replicas = 0, availableReplicas = 0 } = status ?? {};
  if (updatedReplicas < wanted) return waiting(`${updatedReplicas} of ${wanted} replicas are updated`);
  if (replicas > updatedReplicas)
    return waiting(`${replicas - updatedReplicas} old replicas are still there`);
  if (availableReplicas < wanted) return waiting(`${availableReplicas} of ${wanted} replicas are available`);
  return ready;
}

function replicaSetReadiness({ metadata, spec, status }: ReplicaSet): Readiness {
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0))
    return waiting('waits for its controller');
  const wanted = spec?.replicas ?? 1;
  const available = status?.availableReplicas ?? 0;
  return available < wanted ? waiting(`${available} of ${wanted} replicas are available`) : ready;
}

function jobReadiness({ spec, status }: Job): Readiness {
  const failure = status?.conditions?.find(
    ({ type, status: value }) => type === 'Failed' && value === 'True',
  );
  if (failure) return { state: 'failed', reason: failure.message ?? failure.reason ?? 'failed' };
  if (status?.conditions?.some(({ type, status: value }) => type === 'Complete' && value === 'True'))
    return ready;
  return waiting(`${status?.succeeded ?? 0} of ${spec?.completions ?? 1} pods have succeeded`);
}

function podReadiness({ status }: Pod): Readiness {
  if (status?.phase === 'Succeeded') return ready;
  if (status?.phase === 'Failed')
    return { state: 'failed', reason: status.message ?? status.reason ?? 'its containers failed' };
  if (status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True'))
    return ready;
  return waiting(podTrouble(status) ?? `is ${status?.phase ?? 'Pending'}`);
}

/** Why a pod is not ready: a container's waiting reason, or why no node takes it. */
function podTrouble(status: Pod['status']): string | undefined {
  for (const { name, state } of [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
  ]) {
    const { reason, message } = state?.waiting ?? {};
    if (reason && reason !== 'ContainerCreating' && reason !== 'PodInitializing')
      return `container ${name} waits: ${reason}${message ? `: ${message}` : ''}`;
    if (state?.terminated && state.terminated.exitCode !== 0)
      return `container ${name} ended with exit code ${state.terminated.exitCode}`;
  }
  const unplaced = status?.conditions?.find(
    ({ type, status: value }) => type === 'PodScheduled' && value === 'False',
  );
  return unplaced?.message ?? unplaced?.reason;
}
