import { describe, expect, it } from 'vitest';
import { backoffMs } from './backoff.ts';
import { FakeClock } from './fake-clock.ts';
import { WorkQueue } from './queue.ts';

function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

describe('backoffMs', () => {
  it.each([
    [1, 5],
    [2, 10],
    [5, 80],
    [30, 1000],
    [5000, 1000],
  ])('after failure %i waits %i ms', (failures, ms) => {
    expect(backoffMs({ baseMs: 5, maxMs: 1000 }, failures)).toBe(ms);
  });
});

describe('WorkQueue', () => {
  it('processes keys in the order of adding, each once', async () => {
    const seen: string[] = [];
    const queue = new WorkQueue<string>({
      clock: new FakeClock(),
      process: async (key) => void seen.push(key),
    });
    for (const key of ['a', 'b', 'a', 'c']) queue.add(key);
    await queue.idle();
    expect(seen).toEqual(['a', 'b', 'c']);
  });

  it('processes a key again, and not at once, when it is added while being processed', async () => {
    const first = gate();
    let running = 0;
    let most = 0;
    let runs = 0;
    const queue = new WorkQueue<string>({
      clock: new FakeClock(),
      concurrency: 4,
      async process() {
        most = Math.max(most, ++running);
        if (++runs === 1) await first.opened;
        running--;
        return undefined;
      },
    });
    queue.add('a');
    await Promise.resolve();
    queue.add('a');
    queue.add('a');
    first.open();
    await queue.idle();
    expect({ runs, most }).toEqual({ runs: 2, most: 1 });
  });

  it('keeps to its concurrency', async () => {
    const all = gate();
    let running = 0;
    let most = 0;
    const queue = new WorkQueue<number>({
      clock: new FakeClock(),
      concurrency: 3,
      async process() {
        most = Math.max(most, ++running);
        await all.opened;
        running--;
        return undefined;
      },
    });
    for (let key = 0; key < 10; key++) queue.add(key);
    await Promise.resolve();
    all.open();
    await queue.idle();
    expect(most).toBe(3);
  });

  it('retries a failing key with growing delays and starts over after a success', async () => {
    const clock = new FakeClock(0);
    const attempts: number[] = [];
    const queue = new WorkQueue<string>({
      clock,
      backoff: { baseMs: 10, maxMs: 1000 },
      async process() {
        attempts.push(clock.now());
        if (attempts.length < 4) throw new Error('not yet');
        return undefined;
      },
    });
    queue.add('a');
    await clock.advance(0);
    await clock.advance(500);
    expect(attempts).toEqual([0, 10, 30, 70]);
  });

  it('takes the earliest of several delays', async () => {
    const clock = new FakeClock(0);
    const seen: number[] = [];
    const queue = new WorkQueue<string>({
      clock,
      process: async () => void seen.push(clock.now()),
    });
    queue.addAfter('a', 100);
    queue.addAfter('a', 20);
    queue.addAfter('a', 50);
    await clock.advance(200);
    expect(seen).toEqual([20]);
  });

  it('runs nothing after stop', async () => {
    const clock = new FakeClock(0);
    const seen: string[] = [];
    const queue = new WorkQueue<string>({ clock, process: async (key) => void seen.push(key) });
    queue.addAfter('late', 10);
    queue.add('now');
    await queue.stop();
    queue.add('after');
    await clock.advance(100);
    expect(seen).toEqual([]);
  });
});
