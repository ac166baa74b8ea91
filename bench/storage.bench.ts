import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from 'lmdb';
import { systemClock } from '../src/base/clock.ts';
import { openLmdbStore } from '../src/storage/lmdb/lmdb-store.ts';

/** One measured figure; `limit` is what the machine can do at most, measured in the same run. */
export interface BenchRow {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  readonly limit?: number;
  /** `value / limit`. */
  readonly ratio?: number;
}

export const name = 'storage';

const VALUE = Buffer.alloc(2_048, 'x');
const shapes = [
  { what: 'durable creates of 2 KB, one at a time', group: 1, rounds: 500 },
  { what: 'durable creates of 2 KB, 256 at a time', group: 256, rounds: 40 },
];

/** Durable creates a second, beside a bare LMDB put and commit of the same bytes. */
export async function run(report: (row: BenchRow) => void): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'kanoe-bench-'));
  const bare = open<Buffer, string>({
    path: join(directory, 'bare.mdb'),
    encoding: 'binary',
    overlappingSync: false,
  });
  const store = await openLmdbStore({ directory: join(directory, 'store'), clock: systemClock });
  try {
    for (const { what, group, rounds } of shapes) {
      const limits: number[] = [];
      const values: number[] = [];
      // Alternating passes, of which the best counts: other load hits both alike.
      for (let pass = 0; pass < 3; pass += 1) {
        limits.push(
          await perSecond({ group, rounds }, async (key) => {
            await bare.put(`/registry/${group}/${pass}/${key}`, VALUE);
            await bare.flushed;
          }),
        );
        values.push(
          await perSecond({ group, rounds }, (key) =>
            store.create(`/registry/${group}/${pass}/${key}`, VALUE),
          ),
        );
      }
      const limit = Math.max(...limits);
      const value = Math.max(...values);
      report({ what, value: Math.round(value), unit: '1/s', limit: Math.round(limit), ratio: value / limit });
    }
  } finally {
    await store.close();
    await bare.close();
    await rm(directory, { recursive: true });
  }
}

async function perSecond(
  { group, rounds }: { readonly group: number; readonly rounds: number },
  write: (key: string) => Promise<unknown>,
): Promise<number> {
  const start = systemClock.monotonic();
  for (let round = 0; round < rounds; round += 1) {
    await Promise.all(Array.from({ length: group }, (_, index) => write(`${round}-${index}`)));
  }
  return (group * rounds * 1_000) / (systemClock.monotonic() - start);
}
