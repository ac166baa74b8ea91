import { jobs, type Job } from '../../api/batch/v1.gen.ts';
import { pods, type Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { selectorFrom, selectorMatches } from '../../machinery/selectors/label-selector.ts';
import {
  settled,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { controllerOf, dependentsOf } from '../../reconcile/owner.ts';
import { byKey, objectKey, startReconciler } from '../../reconcile/reconciler.ts';
import { hasTrackingFinalizer } from './job-state.ts';
import { releasePod } from './release-pod.ts';

/** Lets go of pods whose job is gone, or was orphaned from them: nobody counts them any more. */
export function startOrphanRelease(context: ControllerContext, name: string): RunningController {
  const { client, informers } = context;
  const jobCache = informers.for(jobs);
  const podCache = informers.for(pods);
  const podClient = client.for(pods);
  const reconciler = startReconciler(context, {
    name: `${name}: orphaned pods`,
    caches: [jobCache, podCache],
    reconcile,
  });
  podCache.addHandler({ onAdd: see, onUpdate: see });
  jobCache.addHandler({
    onDelete(job) {
      for (const pod of dependentsOf(podCache, job.metadata.uid)) see(pod);
    },
  });
  return reconciler;

  function see(pod: Live<Pod>): void {
    if (hasTrackingFinalizer(pod) && !hasJob(pod)) reconciler.add(objectKey(pod));
  }

  async function reconcile(key: string): Promise<Outcome> {
    const pod = byKey(podCache, key);
    if (pod && hasTrackingFinalizer(pod) && !hasJob(pod)) await releasePod(podClient, pod);
    return settled;
  }

  /** Whether a job tracks the pod, or is about to adopt it. */
  function hasJob(pod: Live<Pod>): boolean {
    const { namespace = '', labels } = pod.metadata;
    const owner = controllerOf(pod);
    if (owner) return owner.kind === 'Job' && jobCache.get(namespace, owner.name)?.metadata.uid === owner.uid;
    return jobCache.list(namespace).some((job) => adopts(job, labels));
  }
}

function adopts({ metadata, spec }: Live<Job>, labels: Pod['metadata']['labels']): boolean {
  return metadata.deletionTimestamp === undefined && selectorMatches(selectorFrom(spec.selector), labels);
}
