import { expect, it } from 'vitest';
import { planImageGc } from './plan-image-gc.ts';

const image = (
  id: string,
  lastUsedAt: number,
  firstSeenAt = 0,
): Parameters<typeof planImageGc>[0][number] => ({
  id,
  sizeBytes: 10,
  lastUsedAt,
  firstSeenAt,
});

it.each([
  ['nothing when nothing is wanted', 0, []],
  ['the longest unused first, until it is enough', 15, ['old', 'older']],
  ['all that are old enough when that is too little', 100, ['old', 'older', 'used']],
])('%s', (_name, bytes, chosen) => {
  const images = [image('used', 50), image('older', 2), image('old', 1), image('new', 0, 95)];
  const plan = planImageGc(images, { bytes, now: 100, minimumAgeMs: 10 });
  expect(plan.map(({ id }) => id)).toEqual(chosen);
});
