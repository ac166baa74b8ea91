import type { Job } from '../../api/batch/v1.gen.ts';
import { finishedAt } from '../job/job-state.ts';

/** Milliseconds until a finished job is to go; undefined when it is to stay, or goes already. */
export function msUntilExpiry(job: Job, now: number): number | undefined {
  const finished = finishedAt(job);
  const { ttlSecondsAfterFinished } = job.spec;
  if (finished === undefined || ttlSecondsAfterFinished === undefined) return undefined;
  if (job.metadata.deletionTimestamp !== undefined) return undefined;
  return Math.max(0, finished + ttlSecondsAfterFinished * 1000 - now);
}
