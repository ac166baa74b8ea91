import { jobs, type Job } from '../../api/batch/v1.gen.ts';
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
import { byKey, objectKey, startReconciler } from '../../reconcile/reconciler.ts';
import { msUntilExpiry } from './plan.ts';

/** Deletes finished jobs when `ttlSecondsAfterFinished` has passed. */
export const ttlAfterFinishedController: Controller = {
  name: 'ttl-after-finished-controller',
  aliases: ['ttl-after-finished'],
  start,
};

function start(context: ControllerContext): RunningController {
  const { client, informers, clock } = context;
  const jobCache = informers.for(jobs);
  const jobClient = client.for(jobs);
  const reconciler = startReconciler(context, {
    name: ttlAfterFinishedController.name,
    caches: [jobCache],
    reconcile,
  });
  const wake = (job: Live<Job>): void => {
    if (msUntilExpiry(job, clock.now()) !== undefined) reconciler.add(objectKey(job));
  };
  jobCache.addHandler({ onAdd: wake, onUpdate: wake });
  return reconciler;

  async function reconcile(key: string): Promise<Outcome> {
    const job = byKey(jobCache, key);
    const waitMs = job && msUntilExpiry(job, clock.now());
    if (!job || waitMs === undefined) return settled;
    if (waitMs > 0) return recheck(waitMs);
    const { namespace = '', name, uid, resourceVersion } = job.metadata;
    try {
      await jobClient.delete(
        { namespace, name },
        { propagationPolicy: 'Foreground', preconditions: { uid, resourceVersion } },
      );
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
    return settled;
  }
}
