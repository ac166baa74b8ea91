import type { CronField, CronSchedule } from '../../api/batch/cron-schedule.ts';
import type { WallClock, WallTime } from './wall-clock.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** A day that no calendar has (31 February) is looked for this long. */
const horizonYears = 5;

/**
 * The first time of a schedule after `after`, in milliseconds since the epoch; undefined when it has none within five
 * years. It is the clock on the wall that must show the time: what it skips in spring does not happen that day, what it
 * shows twice in autumn happens twice.
 */
export function nextTime(schedule: CronSchedule, after: number, clock: WallClock): number | undefined {
  const second = Math.floor(after / 1000) * 1000;
  if (schedule.type === 'every') return second + schedule.seconds * 1000;
  let instant = nextMinute(second, clock);
  const lastYear = clock.read(instant).year + horizonYears;
  for (;;) {
    const time = clock.read(instant);
    if (time.year > lastYear) return undefined;
    if (!has(schedule.month, time.month)) instant = clock.startOf({ ...time, month: time.month + 1, day: 1 });
    else if (!isDay(schedule, time)) instant = clock.startOf({ ...time, day: time.day + 1 });
    else if (!has(schedule.hour, time.hour)) instant = nextHour(instant, time);
    else if (!has(schedule.minute, time.minute)) instant += minuteMs;
    else return instant;
  }
}

function has({ values }: CronField, value: number): boolean {
  return values.has(value);
}

/** With both day fields restricted, either may match; otherwise both must. */
function isDay(
  { dayOfMonth, dayOfWeek }: Extract<CronSchedule, { type: 'fields' }>,
  time: WallTime,
): boolean {
  const month = has(dayOfMonth, time.day);
  const week = has(dayOfWeek, time.weekday);
  return dayOfMonth.star || dayOfWeek.star ? month && week : month || week;
}

/** The first whole minute of the wall clock after a whole second. */
function nextMinute(second: number, clock: WallClock): number {
  const local = second + clock.offsetAt(second);
  return second + minuteMs - (local % minuteMs);
}

/** An hour after the beginning of this one; the clock may show the same hour again. */
function nextHour(instant: number, { minute }: WallTime): number {
  return instant - minute * minuteMs + hourMs;
}
