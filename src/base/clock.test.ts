import { expect, it } from 'vitest';
import { sleep, systemClock } from './clock.ts';

it('a timer further ahead than Node.js can wait does not fire at once', async () => {
  let fired = false;
  const timer = systemClock.after(2 ** 40, () => (fired = true));
  await sleep(systemClock, 5);
  timer.cancel();
  expect(fired).toBe(false);
});
