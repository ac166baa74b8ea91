import { cronjobs, jobs, type CronJob, type Job } from '../../api/batch/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
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
import { controllerOf, dependentsOf, indexByController } from '../../reconcile/owner.ts';
import { byKey, objectKey, startReconciler } from '../../reconcile/reconciler.ts';
import { messageOf } from '../pods/refusal.ts';
import { msUntilDue, planCronJob, withStarted, type CronJobPlan } from './plan.ts';

/** Starts jobs at the times of a schedule. */
export const cronJobController: Controller = { name: 'cronjob-controller', aliases: ['cronjob'], start };

function start(context: ControllerContext): RunningController {
  const { client, informers, events, clock } = context;
  const cronJobCache = informers.for(cronjobs);
  const jobCache = informers.for(jobs);
  const cronJobClient = client.for(cronjobs);
  const jobClient = client.for(jobs);
  const ownJobs = new OwnWrites(jobCache);
  const ownStatus = new OwnWrites(cronJobCache);
  indexByController(jobCache);
  const reconciler = startReconciler(context, {
    name: cronJobController.name,
    caches: [cronJobCache, jobCache],
    reconcile,
  });
  cronJobCache.addHandler({
    onAdd: (cronJob) => reconciler.add(objectKey(cronJob)),
    onUpdate: wake,
    onDelete(cronJob) {
      ownJobs.forget(objectKey(cronJob));
      ownStatus.forget(objectKey(cronJob));
    },
  });
  jobCache.addHandler({
    onAdd: wakeOwner,
    onUpdate(job, previous) {
      if (controllerOf(previous)?.uid !== controllerOf(job)?.uid) wakeOwner(previous);
      wakeOwner(job);
    },
    onDelete: wakeOwner,
  });
  return reconciler;

  /** A new schedule begins with its next time: what it would have missed is not made up for. */
  function wake(cronJob: Live<CronJob>, previous: Live<CronJob>): void {
    const key = objectKey(cronJob);
    const { schedule, timeZone } = previous.spec;
    if (cronJob.spec.schedule === schedule && cronJob.spec.timeZone === timeZone) {
      reconciler.add(key);
      return;
    }
    const waitMs = msUntilDue(cronJob, clock.now());
    if (waitMs === undefined) reconciler.add(key);
    else reconciler.addAfter(key, waitMs);
  }

  function wakeOwner(job: Live<Job>): void {
    const owner = controllerOf(job);
    if (owner?.kind === 'CronJob') reconciler.add(`${job.metadata.namespace}/${owner.name}`);
  }

  async function reconcile(key: string): Promise<Outcome> {
    const cronJob = byKey(cronJobCache, key);
    if (!cronJob || !ownJobs.observed(key) || !ownStatus.observed(key)) return settled;
    const { namespace = '', uid } = cronJob.metadata;
    const named = (cronJob.status?.active ?? []).map(({ name = '' }) => name);
    const plan = planCronJob({
      cronJob,
      jobs: dependentsOf(jobCache, uid),
      present: new Set(named.filter((name) => jobCache.get(namespace, name))),
      now: clock.now(),
    });
    await act(key, cronJob, plan);
    return plan.recheckMs === undefined ? settled : recheck(plan.recheckMs);
  }

  async function act(key: string, cronJob: Live<CronJob>, plan: CronJobPlan): Promise<void> {
    for (const { type, reason, message } of plan.events) events.record(cronJob, type, reason, message);
    for (const { name = '', uid = '' } of plan.replace) await deleteJob(key, cronJob, { name, uid });
    const started = plan.start && (await startJob(key, cronJob, plan.start.job));
    const status = plan.start && started ? withStarted(plan.status, started, plan.start.at) : plan.status;
    await Promise.all(plan.forget.map(({ metadata }) => deleteJob(key, cronJob, metadata)));
    if (deepEqual(status, cronJob.status ?? {})) return;
    ownStatus.wrote(key, await cronJobClient.updateStatus({ ...cronJob, status }));
  }

  /** Resolves to the job that stands for the time; undefined when its name is taken by one that is somebody else's. */
  async function startJob(
    key: string,
    cronJob: Live<CronJob>,
    job: Parameters<typeof jobClient.create>[0],
  ): Promise<Live<Job> | undefined> {
    try {
      const created = await jobClient.create(job);
      ownJobs.wrote(key, created);
      events.record(cronJob, 'Normal', 'SuccessfulCreate', `Created job ${created.metadata.name}`);
      return created;
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) {
        events.record(cronJob, 'Warning', 'FailedCreate', `Error creating job: ${messageOf(error)}`);
        throw error;
      }
    }
    const { namespace = '', name = '' } = job.metadata;
    const taken = await jobClient.get({ namespace, name });
    return controllerOf(taken)?.uid === cronJob.metadata.uid ? taken : undefined;
  }

  async function deleteJob(
    key: string,
    cronJob: Live<CronJob>,
    { name, uid }: { readonly name: string; readonly uid: string },
  ): Promise<void> {
    const { namespace = '' } = cronJob.metadata;
    try {
      await jobClient.delete(
        { namespace, name },
        { propagationPolicy: 'Background', preconditions: { uid } },
      );
    } catch (error) {
      if (isStatus(error, 'NotFound')) return;
      if (isStatus(error, 'Conflict')) throw error;
      events.record(cronJob, 'Warning', 'FailedDelete', `Deleted job: ${messageOf(error)}`);
      throw error;
    }
    const held = jobCache.get(namespace, name);
    if (held) ownJobs.deleted(key, held);
    events.record(cronJob, 'Normal', 'SuccessfulDelete', `Deleted job ${name}`);
  }
}
