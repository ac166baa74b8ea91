import { describe, expect, it } from 'vitest';
import { chooseDevices, type DeviceChoice } from './choose-devices.ts';

const choice = (more: Partial<DeviceChoice>): DeviceChoice => ({
  resource: 'e/d',
  count: 1,
  healthy: ['a', 'b', 'c'],
  inUse: new Set(),
  reusable: [],
  ...more,
});

const rows: readonly (readonly [string, Partial<DeviceChoice>, readonly string[] | string])[] = [
  ['gives the first that are free', { count: 2, inUse: new Set(['a']) }, ['b', 'c']],
  ['gives what an init container had', { count: 2, inUse: new Set(['c']), reusable: ['c'] }, ['c', 'a']],
  ['gives what the plug-in prefers', { count: 2, prefer: async () => ['c', 'x', 'b'] }, ['c', 'b']],
  ['completes what the plug-in prefers', { count: 2, prefer: async () => ['c'] }, ['c', 'a']],
  ['refuses without a plug-in', { healthy: undefined }, 'cannot allocate unregistered device e/d'],
  [
    'refuses when none works',
    { healthy: [] },
    'no healthy devices present; cannot allocate unhealthy devices e/d',
  ],
  [
    'refuses when too few are free',
    { count: 3, inUse: new Set(['a', 'b']) },
    'requested number of devices unavailable for e/d. Requested: 3, Available: 1',
  ],
];

describe('the choice of devices', () => {
  it.each(rows)('%s', async (_name, more, expected) => {
    const chosen = await chooseDevices(choice(more)).catch((error: Error) => error.message);
    expect(chosen).toEqual(expected);
  });

  it('tells the plug-in what is free and what must be among it', async () => {
    const asked: unknown[] = [];
    const inUse = new Set(['b', 'c']);
    await chooseDevices(
      choice({
        count: 2,
        inUse,
        reusable: ['c'],
        prefer: async (...args) => {
          asked.push(args);
          return [];
        },
      }),
    );
    expect(asked).toEqual([[['a', 'c'], ['c']]]);
  });
});
