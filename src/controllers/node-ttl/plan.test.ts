import { expect, it } from 'vitest';
import { nextStep, secondsOf } from './plan.ts';

it.each([
  [0, 0, 0],
  [0, 100, 0],
  [0, 101, 15],
  [1, 90, 15],
  [1, 89, 0],
  [1, 501, 30],
  [0, 5000, 300],
  [4, 1799, 60],
  [4, 10_001, 600],
  [5, 9000, 600],
  [5, 0, 0],
])('from step %d a cluster of %d nodes lets them cache for %d seconds', (step, count, seconds) => {
  expect(secondsOf(nextStep(step, count))).toBe(seconds);
});
