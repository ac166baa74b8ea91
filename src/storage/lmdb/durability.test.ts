import { fork, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import { openLmdbStore } from './lmdb-store.ts';
import type { WriterJob } from './testdata/durable-writer.ts';

const root = join(import.meta.dirname, '../../..');
const script = join(root, `node_modules/.cache/kanoe/durable-writer-${process.pid}.mjs`);
const tracing = spawnSync('strace', ['-f', '-o', '/dev/null', 'true']);
const untraceable =
  tracing.error?.message ?? (tracing.status === 0 ? undefined : String(tracing.stderr).trim());
let directory = '';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kanoe-durability-'));
  await build({
    entryPoints: [join(import.meta.dirname, 'testdata/durable-writer.ts')],
    outfile: script,
    bundle: true,
    packages: 'external',
    platform: 'node',
    format: 'esm',
  });
});

afterAll(async () => {
  await rm(directory, { recursive: true });
  await rm(script);
});

/** Hands every acknowledgement to `heard` and resolves when the process has ended. */
async function work(
  child: ChildProcess,
  job: WriterJob,
  heard: (acknowledged: number) => void,
): Promise<void> {
  child.send(job);
  let text = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (text + chunk).split('\n');
    text = lines.pop() ?? '';
    for (const line of lines) heard(Number(line.replace('ack ', '')));
  });
  await once(child, 'close');
}

describe('an acknowledged write', () => {
  it('is there after the process was killed', async () => {
    const store = join(directory, 'killed');
    const acknowledged: number[] = [];
    const child = fork(script, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
    await work(child, { directory: store, creations: 100_000, writers: 50 }, (number) => {
      acknowledged.push(number);
      if (acknowledged.length === 1_000) child.kill('SIGKILL');
    });
    expect(acknowledged.length).toBeGreaterThanOrEqual(1_000);
    const reopened = await openLmdbStore({ directory: store, clock: systemClock });
    const { entries, revision } = await reopened.list('/');
    await reopened.close();
    const kept = new Map(entries.map(({ key, value }) => [key, value.toString()]));
    expect(acknowledged.filter((number) => kept.get(`/${number}`) !== `value-${number};`)).toEqual([]);
    expect(revision).toBe(1 + entries.length);
  });

  const title = untraceable ? ` (skipped: ${untraceable})` : '';
  it.skipIf(untraceable !== undefined)(
    `was synced to the disk before it was acknowledged${title}`,
    async () => {
      const store = join(directory, 'traced');
      const trace = join(directory, 'trace');
      const calls = 'trace=write,writev,pwrite64,pwritev,fdatasync,fsync,msync';
      const options = ['-f', '-y', '-s', '1000000', '-e', calls, '-o', trace, process.execPath, script];
      const acknowledged: number[] = [];
      const child = spawn('strace', options, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
      await work(child, { directory: store, creations: 20, writers: 1 }, (number) =>
        acknowledged.push(number),
      );
      expect(acknowledged).toHaveLength(20);

      const lines = (await readFile(trace, 'utf8')).split('\n');
      const after = (start: number, wanted: (line: string) => boolean): number => {
        const index = lines.findIndex((line, at) => at > start && wanted(line));
        return index === -1 ? Number.POSITIVE_INFINITY : index;
      };
      for (const number of acknowledged) {
        const value = after(-1, (line) => line.includes('data.mdb>') && line.includes(`value-${number};`));
        const synced = after(value, (line) =>
          /(fdatasync|fsync|msync)\b.*(data\.mdb>|resumed).* = 0$/.test(line),
        );
        const answer = after(-1, (line) => line.includes(`"ack ${number}\\n"`));
        expect([value, synced, answer], `creation ${number}: value written, synced, answered`).toEqual(
          [value, synced, answer].toSorted((a, b) => a - b),
        );
        expect(answer).toBeLessThan(Number.POSITIVE_INFINITY);
      }
    },
  );
});
