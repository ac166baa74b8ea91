import { describe, expect, it } from 'vitest';
import { parseCronSchedule } from '../../api/batch/cron-schedule.ts';
import { nextTime } from './next-time.ts';
import { wallClock } from './wall-clock.ts';

/** The next times of a schedule, in UTC to the minute. */
function times(schedule: string, after: string, timeZone = 'UTC', count = 1): (string | undefined)[] {
  const parsed = parseCronSchedule(schedule);
  const clock = wallClock(timeZone);
  const found: (string | undefined)[] = [];
  let at: number | undefined = Date.parse(after);
  for (let left = count; left > 0 && at !== undefined; left--) {
    at = nextTime(parsed, at, clock);
    found.push(at === undefined ? undefined : new Date(at).toISOString().replace(/:00\.000Z$/, 'Z'));
  }
  return found;
}

describe('the next time of a schedule', () => {
  it.each([
    ['* * * * *', '2026-03-01T10:00:00Z', ['2026-03-01T10:01Z', '2026-03-01T10:02Z']],
    ['* * * * *', '2026-03-01T10:00:59.999Z', ['2026-03-01T10:01Z']],
    ['*/15 * * * *', '2026-03-01T10:44:00Z', ['2026-03-01T10:45Z', '2026-03-01T11:00Z']],
    ['5/20 * * * *', '2026-03-01T10:00:00Z', ['2026-03-01T10:05Z', '2026-03-01T10:25Z', '2026-03-01T10:45Z']],
    ['0 9-17/4 * * MON-FRI', '2026-02-27T14:00:00Z', ['2026-02-27T17:00Z', '2026-03-02T09:00Z']],
    ['0 0 1,15 * *', '2026-03-01T00:00:00Z', ['2026-03-15T00:00Z', '2026-04-01T00:00Z']],
    ['0 0 31 * *', '2026-01-31T00:00:00Z', ['2026-03-31T00:00Z', '2026-05-31T00:00Z']],
    ['0 0 29 feb *', '2026-01-01T00:00:00Z', ['2028-02-29T00:00Z']],
    ['30 23 31 dec ?', '2026-12-31T23:30:00Z', ['2027-12-31T23:30Z']],
    ['@hourly', '2026-03-01T10:00:00Z', ['2026-03-01T11:00Z']],
    ['@daily', '2026-03-01T10:00:00Z', ['2026-03-02T00:00Z']],
    ['@midnight', '2026-12-31T10:00:00Z', ['2027-01-01T00:00Z']],
    ['@weekly', '2026-03-01T10:00:00Z', ['2026-03-08T00:00Z']],
    ['@monthly', '2026-03-01T10:00:00Z', ['2026-04-01T00:00Z']],
    ['@yearly', '2026-03-01T10:00:00Z', ['2027-01-01T00:00Z']],
    ['@every 90m', '2026-03-01T10:00:00.500Z', ['2026-03-01T11:30Z', '2026-03-01T13:00Z']],
  ])('of %s after %s', (schedule, after, expected) => {
    expect(times(schedule, after, 'UTC', expected.length)).toEqual(expected);
  });

  it.each([
    [
      'both day fields restricted: either is enough',
      '0 0 13 * FRI',
      ['2026-03-06T00:00Z', '2026-03-13T00:00Z'],
    ],
    ['a star for the day of the month: the weekday decides', '0 0 * * FRI', ['2026-03-06T00:00Z']],
    [
      'a star with a step restricts',
      '0 0 */2 * FRI',
      ['2026-03-03T00:00Z', '2026-03-05T00:00Z', '2026-03-06T00:00Z'],
    ],
    ['a star within a list is a star', '0 0 *,3 * FRI', ['2026-03-06T00:00Z', '2026-03-13T00:00Z']],
  ])('%s', (_, schedule, expected) => {
    expect(times(schedule, '2026-03-01T00:00:00Z', 'UTC', expected.length)).toEqual(expected);
  });

  it.each(['59 23 31 2 *', '0 0 30 feb *', '0 0 31 apr,jun,sep,nov *'])('%s has none', (schedule) => {
    expect(times(schedule, '2026-01-01T00:00:00Z')).toEqual([undefined]);
  });
});

describe('where clocks change', () => {
  it.each([
    [
      'zones without whole hours',
      '30 9 * * *',
      'Asia/Kolkata',
      '2026-03-01T00:00:00Z',
      ['2026-03-01T04:00Z'],
    ],
    [
      'a skipped time does not happen that day',
      '30 2 * * *',
      'Europe/Vienna',
      '2026-03-28T00:00:00Z',
      ['2026-03-28T01:30Z', '2026-03-30T00:30Z'],
    ],
    [
      'a time after the skip keeps its place on the wall',
      '0 4 * * *',
      'Europe/Vienna',
      '2026-03-28T03:30:00Z',
      ['2026-03-29T02:00Z'],
    ],
    [
      'every hour goes on',
      '0 * * * *',
      'Europe/Vienna',
      '2026-03-29T00:00:00Z',
      ['2026-03-29T01:00Z', '2026-03-29T02:00Z'],
    ],
    [
      'a repeated time happens twice',
      '30 2 * * *',
      'Europe/Vienna',
      '2026-10-24T12:00:00Z',
      ['2026-10-25T00:30Z', '2026-10-25T01:30Z', '2026-10-26T01:30Z'],
    ],
    [
      'a repeated time west of Greenwich too',
      '30 1 * * *',
      'America/New_York',
      '2026-11-01T00:00:00Z',
      ['2026-11-01T05:30Z', '2026-11-01T06:30Z', '2026-11-02T06:30Z'],
    ],
    [
      'a skipped midnight is not made up for',
      '0 0 * * *',
      'America/Havana',
      '2026-03-07T12:00:00Z',
      ['2026-03-09T04:00Z'],
    ],
    [
      'the rest of a day without midnight is there',
      '30 1 * * *',
      'America/Havana',
      '2026-03-08T00:00:00Z',
      ['2026-03-08T05:30Z'],
    ],
    [
      'a day that begins at one o’clock in Cairo',
      '0 */6 * * *',
      'Africa/Cairo',
      '2026-04-23T20:00:00Z',
      ['2026-04-24T03:00Z'],
    ],
    [
      'a repeated midnight',
      '15 0 * * *',
      'America/Havana',
      '2026-10-31T12:00:00Z',
      ['2026-11-01T04:15Z', '2026-11-01T05:15Z', '2026-11-02T05:15Z'],
    ],
    [
      'half an hour is skipped on Lord Howe Island',
      '15,45 2 * * *',
      'Australia/Lord_Howe',
      '2026-10-03T12:00:00Z',
      ['2026-10-03T15:45Z', '2026-10-04T15:15Z'],
    ],
    [
      'a day that Samoa never had',
      '0 12 30 12 *',
      'Pacific/Apia',
      '2011-12-01T00:00:00Z',
      ['2012-12-29T22:00Z'],
    ],
    ['a zone of another name', '0 12 * * *', 'US/Pacific', '2026-01-01T00:00:00Z', ['2026-01-01T20:00Z']],
  ])('%s', (...[, schedule, timeZone, after, expected]) => {
    expect(times(schedule, after, timeZone, expected.length)).toEqual(expected);
  });

  it('every minute of a day with 25 hours happens once', () => {
    const all = times('* * * * *', '2026-10-24T21:59:00Z', 'Europe/Vienna', 25 * 60 + 1);
    expect([new Set(all).size, all.at(-1)]).toEqual([1501, '2026-10-25T23:00Z']);
  });
});
