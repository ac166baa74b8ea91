import { expect, it } from 'vitest';
import type { Clock } from '../../base/clock.ts';
import { largeObjects } from './give-way.ts';

/** A clock whose timers fire at once and note how long they were to wait. */
function impatientClock(): Clock & { readonly waits: number[]; pass(ms: number): void } {
  let now = 0;
  const waits: number[] = [];
  return {
    waits,
    now: () => now,
    monotonic: () => now,
    after(ms, run) {
      waits.push(ms);
      now += ms;
      queueMicrotask(run);
      return { cancel: () => undefined };
    },
    pass(ms) {
      now += ms;
    },
  };
}

const large = 200_000;

/** Computes for about so many milliseconds of real time. */
function compute(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

it('lets small objects pass', () => {
  expect(largeObjects(impatientClock()).giveWay(1_000)).toBeUndefined();
});

it('pauses between long steps only while many others ask for something', async () => {
  const clock = impatientClock();
  const objects = largeObjects(clock);
  await objects.giveWay(large);
  compute(10);
  await objects.giveWay(large);
  expect(Math.max(...clock.waits)).toBeLessThan(10);
  for (let at = 0; at < 50; at += 1) objects.arrived();
  compute(10);
  await objects.giveWay(large);
  expect(Math.max(...clock.waits)).toBeGreaterThan(500);
});
