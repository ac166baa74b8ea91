import { jobs, type Job } from '../../api/batch/v1.gen.ts';
import { pods, type Container, type Pod } from '../../api/core/v1.gen.ts';
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
import { finishedCondition, hasTrackingFinalizer, indexAnnotation, trackingFinalizer } from './job-state.ts';
import { planJob, type JobObservation, type JobPlan } from './plan.ts';

/** Runs pods to completion. */
export const jobController: Controller = { name: 'job-controller', aliases: ['job'], start };

const managedByUs = 'kubernetes.io/job-controller';
const trackedIndex = 'tracked by job';

function start(context: ControllerContext): RunningController {
  const { client, informers, events, clock } = context;
  const jobCache = informers.for(jobs);
  const podCache = informers.for(pods);
  const jobClient = client.for(jobs);
  const podClient = client.for(pods);
  const ownWrites = new OwnWrites(podCache);
  const ownStatus = new OwnWrites(jobCache);
  indexByController(podCache);
  podCache.addIndex(trackedIndex, trackedBy);
  const reconciler = startReconciler(context, {
    name: jobController.name,
    caches: [jobCache, podCache],
    reconcile,
  });
  jobCache.addHandler({
    onAdd: (job) => reconciler.add(objectKey(job)),
    onUpdate: (job) => reconciler.add(objectKey(job)),
    onDelete(job) {
      ownWrites.forget(objectKey(job));
      ownStatus.forget(objectKey(job));
      reconciler.add(objectKey(job));
    },
  });
  podCache.addHandler({ onAdd: wakeOwners, onUpdate: wakeOwners, onDelete: wakeOwners });
  return reconciler;

  function wakeOwners(pod: Live<Pod>): void {
    const { namespace = '', labels } = pod.metadata;
    const owner = controllerOf(pod);
    if (owner) {
      if (owner.kind === 'Job') reconciler.add(`${namespace}/${owner.name}`);
      return;
    }
    for (const job of jobCache.list(namespace)) {
      if (selectorMatches(selectorFrom(job.spec.selector), labels)) reconciler.add(objectKey(job));
    }
  }

  async function reconcile(key: string): Promise<Outcome> {
    const job = byKey(jobCache, key);
    await freeOrphans(key, job);
    if (!job || (job.spec.managedBy ?? managedByUs) !== managedByUs) return settled;
    if (!ownWrites.observed(key) || !ownStatus.observed(key)) return settled;
    const observation = await observe(job);
    const plan = planJob(observation);
    await act(key, observation, plan);
    return plan.recheckMs === undefined || finishedCondition(job) ? settled : recheck(plan.recheckMs);
  }

  async function observe(job: Live<Job>): Promise<JobObservation> {
    const { uid, namespace = '' } = job.metadata;
    const candidates = [...dependentsOf(podCache, uid), ...unowned(podCache, namespace)];
    const claims = planClaims(job, selectorFrom(job.spec.selector), candidates);
    const options = { objects: podClient, owners: jobClient, owner: job, finalizer: trackingFinalizer };
    return { job, pods: await applyClaims(claims, options), now: clock.now() };
  }

  /** Status first: a pod's finalizer goes only when its fate is written down. */
  async function act(key: string, { job }: JobObservation, plan: JobPlan): Promise<void> {
    if (!deepEqual(plan.status, job.status)) {
      ownStatus.wrote(key, await jobClient.updateStatus({ ...job, status: plan.status }));
      for (const { type, reason, message } of plan.events) events.record(job, type, reason, message);
    }
    await Promise.all(plan.release.map(release));
    await Promise.all(plan.remove.map((pod) => deletePod(key, job, pod)));
    const created = await slowStart(plan.create.length, (index) => createPod(key, job, plan.create[index]));
    if ('error' in created) throw created.error;
  }

  async function createPod(key: string, job: Live<Job>, index: number | undefined): Promise<void> {
    try {
      const pod = await podClient.create(jobPod(job, index));
      ownWrites.wrote(key, pod);
      events.record(job, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      events.record(job, 'Warning', 'FailedCreate', `Error creating: ${message}`);
      throw error;
    }
  }

  async function deletePod(key: string, job: Live<Job>, pod: Live<Pod>): Promise<void> {
    const { namespace = '', name, uid } = pod.metadata;
    if (await unlessGone(podClient.delete({ namespace, name }, { preconditions: { uid } }))) {
      ownWrites.deleted(key, pod);
      events.record(job, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
    }
  }

  async function release(pod: Live<Pod>): Promise<void> {
    if (!hasTrackingFinalizer(pod)) return;
    const { namespace = '', name, uid } = pod.metadata;
    const patch = { metadata: { uid, '$deleteFromPrimitiveList/finalizers': [trackingFinalizer] } };
    await unlessGone(
      podClient.patch({ namespace, name }, patch, { type: 'application/strategic-merge-patch+json' }),
    );
  }

  /** Pods of a job that is gone, or whose name another job has taken, are not counted any more. */
  async function freeOrphans(key: string, job: Live<Job> | undefined): Promise<void> {
    const tracked = podCache.byIndex(trackedIndex, key);
    await Promise.all(tracked.filter((pod) => controllerOf(pod)?.uid !== job?.metadata.uid).map(release));
  }
}

/** The key of the job that tracks a pod. */
function trackedBy(pod: Live<Pod>): readonly string[] {
  const owner = controllerOf(pod);
  if (owner?.kind !== 'Job' || !hasTrackingFinalizer(pod)) return [];
  return [`${pod.metadata.namespace}/${owner.name}`];
}

/** The pod of a job; of an indexed one, it learns its index from a label, an annotation, its name and its environment. */
function jobPod(job: Live<Job>, index: number | undefined): Pod {
  const pod = podFromTemplate(job.spec.template, job);
  const finalizers = [...(pod.metadata.finalizers ?? []), trackingFinalizer];
  if (index === undefined) return { ...pod, metadata: { ...pod.metadata, finalizers } };
  const text = String(index);
  const { name } = job.metadata;
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      generateName: `${name}-${text}-`,
      labels: { ...pod.metadata.labels, [indexAnnotation]: text },
      annotations: { ...pod.metadata.annotations, [indexAnnotation]: text },
      finalizers,
    },
    spec: {
      ...pod.spec,
      hostname: `${name}-${text}`,
      containers: pod.spec.containers.map(withIndex),
      ...(pod.spec.initContainers && { initContainers: pod.spec.initContainers.map(withIndex) }),
    },
  };
}

function withIndex(container: Container): Container {
  const env = container.env ?? [];
  if (env.some(({ name }) => name === 'JOB_COMPLETION_INDEX')) return container;
  const fieldRef = { apiVersion: 'v1', fieldPath: `metadata.labels['${indexAnnotation}']` };
  return { ...container, env: [...env, { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef } }] };
}

async function unlessGone<T>(write: Promise<T>): Promise<T | undefined> {
  try {
    return await write;
  } catch (error) {
    if (isStatus(error, 'NotFound') || isStatus(error, 'Conflict')) return undefined;
    throw error;
  }
}
