import type { Pod } from '../../api/core/v1.gen.ts';
import { backoffMs } from '../../base/backoff.ts';
import type { Live } from '../../machinery/object.ts';
import { conditionOf } from '../../reconcile/conditions.ts';

const podBackoff = { baseMs: 10_000, maxMs: 600_000 };

/** Milliseconds until a pod may follow so many failures, the last of them at `last`. */
export function msUntilRetry(failures: number, last: number, now: number): number {
  return failures === 0 ? 0 : Math.max(0, last + backoffMs(podBackoff, failures) - now);
}

/** When a pod ended, in milliseconds since the epoch, as near as its status tells. */
export function endOf({ status, metadata }: Live<Pod>): number {
  const ends = (status?.containerStatuses ?? []).map(({ state }) =>
    Date.parse(state?.terminated?.finishedAt ?? ''),
  );
  if (ends.length > 0 && ends.every((end) => !Number.isNaN(end))) return Math.max(...ends);
  const ready = conditionOf(status?.conditions, 'Ready');
  const unready = ready?.status === 'False' ? Date.parse(ready.lastTransitionTime ?? '') : Number.NaN;
  if (!Number.isNaN(unready)) return unready;
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, creationTimestamp } = metadata;
  if (deletionTimestamp !== undefined)
    return Date.parse(deletionTimestamp) - deletionGracePeriodSeconds * 1000;
  return Date.parse(creationTimestamp);
}
