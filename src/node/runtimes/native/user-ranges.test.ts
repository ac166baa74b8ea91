import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { UserRanges } from './user-ranges.ts';

const machine = mkdtempSync(join(tmpdir(), 'kanoe-ranges-'));
afterAll(() => rmSync(machine, { recursive: true }));

function node(cluster: string, name: string): UserRanges {
  const folder = join(machine, cluster, name);
  mkdirSync(folder, { recursive: true });
  return new UserRanges(folder, machine);
}

it('gives every sandbox of the machine ids of its own, those of other nodes and clusters too', async () => {
  const nodes = [node('a', '1'), node('a', '2'), node('b', '1')];
  const taken = await Promise.all(
    Array.from({ length: 60 }, (_, serial) =>
      (nodes[serial % 3] ?? node('b', '1')).take(`sandbox-${serial}`),
    ),
  );
  const firsts = taken.map(({ first }) => first);
  expect(new Set(firsts).size).toBe(60);
  for (const first of firsts) {
    expect(first % 65_536).toBe(0);
    expect(first).toBeGreaterThanOrEqual(1_879_048_192);
    expect(first + 65_535).toBeLessThan(2 ** 31);
  }
  expect(taken.every(({ count }) => count === 65_536)).toBe(true);
});

it('gives ids back, by the id of the sandbox and more than once', async () => {
  const own = node('c', '1');
  await own.take('one');
  await own.take('two');
  await own.release('one');
  await own.release('one');
  expect(readdirSync(join(machine, 'c/1/users'))).toHaveLength(1);
  await node('c', '1').release('two');
  expect(readdirSync(join(machine, 'c/1/users'))).toEqual([]);
  await node('d', '1').release('none');
});
