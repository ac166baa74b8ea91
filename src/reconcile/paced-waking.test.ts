import { describe, expect, it } from 'vitest';
import { PacedWaking } from './paced-waking.ts';

describe('PacedWaking', () => {
  it.each([
    [0, 0],
    [49, 0],
    [500, 10],
    [10_000, 200],
  ])('wakes the owner of %i objects after %i ms', (size, ms) => {
    const woken: [string, number][] = [];
    const waking = new PacedWaking({ addAfter: (key, after) => void woken.push([key, after]) });
    waking.observed('default/web', size);
    waking.wake('default/web');
    expect(woken).toEqual([['default/web', ms]]);
  });

  it('wakes one that was forgotten at once', () => {
    const woken: number[] = [];
    const waking = new PacedWaking({ addAfter: (_, after) => void woken.push(after) });
    waking.observed('default/web', 10_000);
    waking.forget('default/web');
    waking.wake('default/web');
    expect(woken).toEqual([0]);
  });
});
