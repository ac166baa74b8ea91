import { writeSync } from 'node:fs';
import { systemClock } from '../../../base/clock.ts';
import { openLmdbStore } from '../lmdb-store.ts';

/** What the parent asks of this process. */
export interface WriterJob {
  readonly directory: string;
  /** How many keys `/<n>` to create, each with the value `value-<n>;`. */
  readonly creations: number;
  /** How many creations are under way at a time. */
  readonly writers: number;
}

/** Prints `ack <n>` as soon as creation n has been acknowledged. */
async function run({ directory, creations, writers }: WriterJob): Promise<void> {
  const store = await openLmdbStore({ directory, clock: systemClock });
  let next = 0;
  async function write(): Promise<void> {
    while (next < creations) {
      const number = next;
      next += 1;
      await store.create(`/${number}`, Buffer.from(`value-${number};`));
      writeSync(1, `ack ${number}\n`);
    }
  }
  await Promise.all(Array.from({ length: writers }, write));
  await store.close();
  process.disconnect();
}

process.once('message', (job: WriterJob) => void run(job));
