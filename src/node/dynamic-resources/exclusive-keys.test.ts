import { expect, it } from 'vitest';
import { createExclusiveKeys } from './exclusive-keys.ts';

it('lets work wait for earlier work with one of its keys, even when that fails, and for nothing else', async () => {
  const exclusively = createExclusiveKeys();
  const said: string[] = [];
  let fail = (): void => undefined;
  const first = exclusively(['a', 'b'], () => {
    said.push('first');
    return new Promise<void>((_, reject) => (fail = () => reject(new Error('failed'))));
  });
  const second = exclusively(['b', 'c'], async () => void said.push('second'));
  await exclusively(['d'], async () => void said.push('third'));
  expect(said).toEqual(['first', 'third']);
  fail();
  await expect(first).rejects.toThrow('failed');
  await second;
  expect(said).toEqual(['first', 'third', 'second']);
});
