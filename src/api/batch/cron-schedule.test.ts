import { describe, expect, it } from 'vitest';
import { cronScheduleError } from './cron-schedule.ts';

describe('a schedule', () => {
  it.each([
    '* * * * *',
    '*/15 0-6/2 1,15 * MON-fri',
    '? 3/4 1-31 jan-DEC sun',
    '@hourly',
    '@every 1h30m',
    'TZ=Europe/Vienna 0 0 1 1 *',
    'CRON_TZ=US/Eastern @daily',
    '0 0 , * *',
  ])('%s is one', (schedule) => {
    expect(cronScheduleError(schedule)).toBeUndefined();
  });

  it.each([
    ['', 'empty spec string'],
    ['x', 'expected exactly 5 fields, found 1: [x]'],
    ['0 0 * *', 'expected exactly 5 fields, found 4: [0 0 * *]'],
    ['a 0 * * *', 'failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax'],
    [
      '99999999999999999999 0 * * *',
      'failed to parse int from 99999999999999999999: strconv.Atoi: parsing "99999999999999999999": value out of range',
    ],
    ['60 0 * * *', 'end of range (60) above maximum (59): 60'],
    ['0 0 0 * *', 'beginning of range (0) below minimum (1): 0'],
    ['5-1 0 * * *', 'beginning of range (5) beyond end of range (1): 5-1'],
    ['1-2-3 0 * * *', 'too many hyphens: 1-2-3'],
    ['1/2/3 0 * * *', 'too many slashes: 1/2/3'],
    ['*/0 0 * * *', 'step of range should be a positive number: */0'],
    ['0 0 * * 7', 'end of range (7) above maximum (6): 7'],
    ['@fortnightly', 'unrecognized descriptor: @fortnightly'],
    ['@every x', 'failed to parse duration @every x: time: invalid duration "x"'],
    ['@every 5', 'failed to parse duration @every 5: time: missing unit in duration "5"'],
    ['@every 5d', 'failed to parse duration @every 5d: time: unknown unit "d" in duration "5d"'],
    ['TZ=Mars/Base * * * * *', 'provided bad location Mars/Base: unknown time zone Mars/Base'],
  ])('%s is none', (schedule, problem) => {
    expect(cronScheduleError(schedule)).toBe(problem);
  });
});
