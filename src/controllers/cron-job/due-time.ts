import type { CronJob } from '../../api/batch/v1.gen.ts';
import type { CronSchedule } from '../../api/batch/cron-schedule.ts';
import type { Live } from '../../machinery/object.ts';
import { nextTime } from './next-time.ts';
import type { WallClock } from './wall-clock.ts';

/** Why a schedule that can be read has no use; the message is upstream's. */
export class ScheduleWithoutTimes extends Error {}

/** What a schedule says at a moment. Instants are milliseconds since the epoch. */
export interface DueTimes {
  /** The latest time that has passed and has not been served, not older than the starting deadline. */
  readonly due: number | undefined;
  /** Times have been missed, so many that something must be wrong. */
  readonly missedMany: boolean;
  /** When to look again. */
  readonly next: number | undefined;
}

interface Recent {
  readonly recent: number | undefined;
  readonly missed: 'none' | 'few' | 'many';
}

/** A timer that goes off a little early would find nothing due. */
const marginMs = 100;
const manyTimes = 100;

/** Whether a cron job is due at `now`. Throws {@link ScheduleWithoutTimes}. */
export function dueTimes(
  cronJob: Live<CronJob>,
  schedule: CronSchedule,
  { now, clock }: { readonly now: number; readonly clock: WallClock },
): DueTimes {
  const { metadata, spec, status } = cronJob;
  const served = Date.parse(status?.lastScheduleTime ?? metadata.creationTimestamp);
  const deadline = spec.startingDeadlineSeconds;
  const oldest = deadline === undefined ? served : Math.max(served, now - deadline * 1000);
  const { recent, missed } = recentTime(oldest, now, (after) => nextTime(schedule, after, clock));
  const sinceServed =
    oldest === served
      ? { recent, missed }
      : recentTime(served, now, (after) => nextTime(schedule, after, clock));
  const from = sinceServed.recent ?? (sinceServed.missed === 'none' ? served : now);
  const next = nextTime(schedule, from, clock);
  return {
    due: recent,
    missedMany: recent !== undefined && missed === 'many',
    next: next === undefined ? undefined : next + marginMs,
  };
}

/**
 * The latest time between two instants. Many times are not counted one by one but from the wait between the first two,
 * as upstream does.
 */
function recentTime(earliest: number, now: number, after: (instant: number) => number | undefined): Recent {
  const first = after(earliest);
  const second = first === undefined ? undefined : after(first);
  if (first !== undefined && now < first) return { recent: undefined, missed: 'none' };
  if (first !== undefined && second !== undefined && now < second) return { recent: first, missed: 'none' };
  const step = first === undefined || second === undefined ? 0 : Math.round((second - first) / 1000);
  if (first === undefined || step < 1)
    throw new ScheduleWithoutTimes('time difference between two schedules is less than 1 second');
  const count = Math.floor(Math.trunc((now - first) / 1000) / step) + 1;
  const missed = count > manyTimes ? 'many' : 'few';
  let recent: number | undefined;
  let at = after(first + (count - 2) * step * 1000);
  while (at !== undefined && at <= now) {
    recent = at;
    at = after(at);
  }
  return { recent, missed };
}
