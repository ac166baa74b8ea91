import { expect, it } from 'vitest';
import { FakeClock } from '../../base/fake-clock.ts';
import { DemandIntegrator, smoothed } from './demand-statistics.ts';

it('weighs a number by how long it was so, from one question to the next', async () => {
  const clock = new FakeClock();
  const demand = new DemandIntegrator(clock);
  await clock.advance(3_000);
  demand.set(4);
  await clock.advance(1_000);
  const first = demand.take();
  await clock.advance(5_000);
  expect([first.average, first.deviation, demand.take()]).toEqual([
    1,
    Math.sqrt(3),
    { average: 4, deviation: 0 },
  ]);
});

it('rises at once and falls slowly', () => {
  expect(smoothed(1, { average: 8, deviation: 2 })).toBe(10);
  expect(smoothed(10, { average: 0, deviation: 0 })).toBeCloseTo(9.77);
});
