import { setImmediate as immediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Clock } from '../../base/clock.ts';
import { fairTurns } from './turns.ts';

/** A clock that stands still but for what work takes. */
function workClock(): Clock & { pass(ms: number): void } {
  let now = 0;
  return {
    now: () => now,
    monotonic: () => now,
    after: () => ({ cancel: () => undefined }),
    pass(ms) {
      now += ms;
    },
  };
}

it('does work at once until its time is used up, and the rest in order, a slice at a time', async () => {
  const clock = workClock();
  const turns = fairTurns(clock);
  const done: number[] = [];
  for (let at = 0; at < 6; at += 1) {
    turns.run(() => {
      clock.pass(0.25);
      done.push(at);
    });
  }
  expect(done).toEqual([0, 1]);
  await immediate();
  expect(done).toEqual([0, 1, 2, 3]);
  await immediate();
  expect(done).toEqual([0, 1, 2, 3, 4, 5]);
});

it('keeps work that comes while it works behind what waits', async () => {
  const clock = workClock();
  const turns = fairTurns(clock);
  const done: string[] = [];
  const work = (name: string, then?: string) => (): void => {
    clock.pass(0.5);
    done.push(name);
    if (then !== undefined) turns.run(work(then));
  };
  turns.run(work('a', 'd'));
  turns.run(work('b'));
  for (let at = 0; at < 4; at += 1) await immediate();
  expect(done).toEqual(['a', 'd', 'b']);
});
