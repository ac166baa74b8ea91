import { jobs, type Job } from '../../api/batch/v1.gen.ts';
import { pods, type Pod } from '../../api/core/v1.gen.ts';
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
import { dependentsOf, indexByController, unowned } from '../../reconcile/owner.ts';
import { byKey, objectKey, startReconciler } from '../../reconcile/reconciler.ts';
import { wakeOwners } from '../../reconcile/wake-owners.ts';
import { applyClaims, planClaims } from '../pods/claim.ts';
import { podWriter } from '../pods/pod-writer.ts';
import { slowStart } from '../pods/slow-start.ts';
import { jobPod } from './job-pod.ts';
import { trackingFinalizer } from './job-state.ts';
import { startOrphanRelease } from './orphaned-pods.ts';
import { planJob, type JobObservation, type JobPlan } from './plan.ts';
import { releasePod } from './release-pod.ts';

/** Runs pods to completion. */
export const jobController: Controller = { name: 'job-controller', aliases: ['job'], start };

const managedByUs = 'kubernetes.io/job-controller';
/** Changes of fewer pods are looked at at once. */
const fewPods = 50;
const longestDelayMs = 1000;

function start(context: ControllerContext): RunningController {
  const { client, informers, events, clock } = context;
  const jobCache = informers.for(jobs);
  const podCache = informers.for(pods);
  const jobClient = client.for(jobs);
  const podClient = client.for(pods);
  const ownWrites = new OwnWrites(podCache);
  const ownStatus = new OwnWrites(jobCache);
  const writer = podWriter(context, ownWrites);
  indexByController(podCache);
  const reconciler = startReconciler(context, {
    name: jobController.name,
    caches: [jobCache, podCache],
    backoff: { baseMs: 5, maxMs: 60_000 },
    reconcile,
  });
  jobCache.addHandler({
    onAdd: (job) => reconciler.add(objectKey(job)),
    onUpdate: (job) => reconciler.add(objectKey(job)),
    onDelete(job) {
      ownWrites.forget(objectKey(job));
      ownStatus.forget(objectKey(job));
    },
  });
  wakeOwners({
    owners: jobCache,
    dependents: podCache,
    kind: 'Job',
    wants: ({ spec }, { metadata }) => selectorMatches(selectorFrom(spec.selector), metadata.labels),
    wake: wakeOwner,
  });
  const orphans = startOrphanRelease(context, jobController.name);
  return {
    async stop() {
      await Promise.all([reconciler.stop(), orphans.stop()]);
    },
  };

  /** The more pods a job has, the more of their changes are looked at together. */
  function wakeOwner(key: string): void {
    const { active = 0 } = byKey(jobCache, key)?.status ?? {};
    if (active < fewPods) reconciler.add(key);
    else reconciler.addAfter(key, Math.min(active, longestDelayMs));
  }

  async function reconcile(key: string): Promise<Outcome> {
    const job = byKey(jobCache, key);
    if (!job || (job.spec.managedBy ?? managedByUs) !== managedByUs) return settled;
    if (!ownWrites.observed(key) || !ownStatus.observed(key)) return settled;
    const observation = await observe(job);
    const plan = planJob(observation);
    await act(key, observation, plan);
    return plan.recheckMs === undefined ? settled : recheck(plan.recheckMs);
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
    if (!deepEqual(plan.status, job.status ?? {})) {
      ownStatus.wrote(key, await jobClient.updateStatus({ ...job, status: plan.status }));
      for (const { type, reason, message } of plan.events) events.record(job, type, reason, message);
    }
    await Promise.all(plan.remove.map((pod) => writer.delete(job, pod)));
    await Promise.all(plan.release.map((pod) => release(key, pod)));
    await Promise.all(plan.discard.map((pod) => discard(job, pod)));
    const created = await slowStart(plan.create.length, async (index) => {
      const next = plan.create[index];
      if (next) await writer.create(job, jobPod(job, next));
    });
    if ('error' in created) throw created.error;
  }

  async function discard(job: Live<Job>, pod: Live<Pod>): Promise<void> {
    await release(objectKey(job), pod);
    await writer.delete(job, pod);
  }

  async function release(key: string, pod: Live<Pod>): Promise<void> {
    const released = await releasePod(podClient, pod);
    if (released) ownWrites.wrote(key, released);
  }
}
