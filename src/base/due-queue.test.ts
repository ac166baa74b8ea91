import { describe, expect, it } from 'vitest';
import { DueQueue } from './due-queue.ts';
import { FakeClock } from './fake-clock.ts';
import { seededRandom } from './seeded-random.ts';

function queue(): { readonly clock: FakeClock; readonly ran: string[]; readonly due: DueQueue<string> } {
  const clock = new FakeClock();
  const ran: string[] = [];
  return { clock, ran, due: new DueQueue(clock, (key, item) => void ran.push(`${key}:${item}`)) };
}

describe('DueQueue', () => {
  it('runs items in the order of their times, then of their adding', async () => {
    const { clock, ran, due } = queue();
    due.set('c', '3', 30);
    due.set('a', '1', 10);
    due.set('b', '2', 10);
    await clock.advance(9);
    expect(ran).toEqual([]);
    await clock.advance(1);
    expect(ran).toEqual(['a:1', 'b:2']);
    await clock.advance(20);
    expect(ran).toEqual(['a:1', 'b:2', 'c:3']);
  });

  it('replaces and forgets what waits under a key', async () => {
    const { clock, ran, due } = queue();
    due.set('a', 'old', 10);
    due.set('a', 'new', 20);
    due.set('b', 'gone', 5);
    due.delete('b');
    expect(due.size).toBe(1);
    await clock.advance(100);
    expect(ran).toEqual(['a:new']);
  });

  it('an earlier item moves the timer forward', async () => {
    const { clock, ran, due } = queue();
    due.set('late', 'x', 1000);
    due.set('soon', 'y', 10);
    await clock.advance(10);
    expect(ran).toEqual(['soon:y']);
  });

  it('keeps the order of many that were replaced and deleted', async () => {
    const { clock, ran, due } = queue();
    for (let at = 0; at < 500; at++) due.set(String(at), 'first', Math.floor(seededRandom('a', at) * 1000));
    const wanted = new Map<number, number>();
    for (let at = 0; at < 500; at++) {
      if (at % 3 === 0) due.delete(String(at));
      else {
        const delay = Math.floor(seededRandom('b', at) * 1000);
        due.set(String(at), 'second', delay);
        wanted.set(at, delay);
      }
    }
    await clock.advance(1000);
    const order = [...wanted].sort((a, b) => a[1] - b[1] || a[0] - b[0]).map(([at]) => `${at}:second`);
    expect(ran).toEqual(order);
  });
});

describe('seededRandom', () => {
  it('depends on its words alone, and spreads', () => {
    expect(seededRandom('a', 1)).toBe(seededRandom('a', 1));
    expect(seededRandom('a', 1)).not.toBe(seededRandom('a', 2));
    expect(seededRandom('ab', 'c')).not.toBe(seededRandom('a', 'bc'));
    const drawn = Array.from({ length: 10_000 }, (_, at) => seededRandom('seed', at));
    const mean = drawn.reduce((sum, one) => sum + one, 0) / drawn.length;
    expect(mean).toBeGreaterThan(0.48);
    expect(mean).toBeLessThan(0.52);
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...drawn)).toBeLessThan(1);
  });
});
