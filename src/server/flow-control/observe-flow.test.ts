import { expect, it } from 'vitest';
import { FakeClock } from '../../base/fake-clock.ts';
import { observedEntry, type SchemaObserver } from './observe-flow.ts';
import type { Seats } from './priority-level.ts';

function recorder(): { readonly heard: string[]; readonly observer: SchemaObserver } {
  const heard: string[] = [];
  return {
    heard,
    observer: {
      queued: (seats, length) => heard.push(`queued ${seats}, ${length} wait`),
      left: (seats) => heard.push(`left ${seats}`),
      started: (seats, ms) => heard.push(`started ${seats} after ${ms} ms`),
      ended: (seats, { type, ms }) => heard.push(`ended ${seats}, ${type}, ${ms} ms`),
      watched: (count) => heard.push(`${count} watch`),
      refused: (reason, ms) => heard.push(`refused: ${reason} after ${ms} ms`),
    },
  };
}

const kind = { queued: () => {}, left: () => {}, started: () => {}, ended: () => {} };
const seats: Seats = { release: () => {} };

it.each<[string, (clock: FakeClock) => Seats | Promise<Seats>, readonly string[]]>([
  ['at once', () => seats, ['started 2 after 0 ms', 'ended 2, regular, 12 ms']],
  [
    'after a while',
    (clock) => new Promise((resolve) => clock.after(5, () => resolve(seats))),
    ['queued 2, 3 wait', 'left 2', 'started 2 after 5 ms', 'ended 2, regular, 7 ms'],
  ],
  [
    'not at all',
    () => {
      throw new Error('no', { cause: 'queue-full' });
    },
    ['refused: queue-full after 0 ms'],
  ],
  [
    'not at all, after a while',
    (clock) =>
      new Promise((_, reject) => clock.after(5, () => reject(new Error('no', { cause: 'time-out' })))),
    ['queued 2, 3 wait', 'left 2', 'refused: time-out after 5 ms'],
  ],
])('hears of a request that gets its seats %s', async (_, enter, expected) => {
  const clock = new FakeClock();
  const { heard, observer } = recorder();
  const entry = { clock, observer, seats: 2, type: 'regular', kind, waiting: () => 3 } as const;
  const entered = Promise.resolve()
    .then(() => observedEntry(() => enter(clock), entry))
    .catch(() => undefined);
  await Promise.resolve();
  await clock.advance(5);
  const held = await entered;
  await clock.advance(7);
  held?.release();
  held?.release();
  expect(heard).toEqual(expected);
});
