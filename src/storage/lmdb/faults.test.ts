import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../base/fake-clock.ts';
import type { Store } from '../kv.ts';
import { openLmdbStore } from './lmdb-store.ts';

let directory = '';
const clock = new FakeClock();
const bytes = (text: string): Buffer => Buffer.from(text);
const openStore = (path: string = join(directory, 'store')): Promise<Store> =>
  openLmdbStore({ directory: path, clock });

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kanoe-faults-'));
});

afterEach(async () => {
  await rm(directory, { recursive: true });
});

describe('reopening', () => {
  it('finds entries, revision and history again', async () => {
    const first = await openStore();
    const a = await first.create('/a', bytes('1'));
    const b = await first.update('/a', bytes('2'), a);
    const c = await first.delete('/a', b);
    await first.compact(a);
    await first.close();
    const second = await openStore();
    expect(second.revision).toBe(c);
    expect((await second.list('/', { revision: b })).entries[0]?.value).toEqual(bytes('2'));
    await expect(second.list('/', { revision: a - 1 })).rejects.toMatchObject({ code: 'COMPACTED' });
    expect(await second.create('/a', bytes('3'))).toBe(c + 1);
    await second.compact(c + 1);
    await second.close();
    const third = await openStore();
    expect(third.revision).toBe(c + 1);
    await third.close();
  });

  it('deletes what expired in the meantime', async () => {
    const first = await openStore();
    await first.create('/a', bytes('1'), { ttlMs: 1_000 });
    await first.close();
    await clock.advance(2_000);
    const second = await openStore();
    const deleted = new Promise<string>((resolve) => {
      const onEvents = ([event]: readonly { type: string; key: string }[]): void =>
        resolve(`${event?.type} ${event?.key}`);
      second.watch({ prefix: '/', after: second.revision, onEvents, onError: () => {} });
    });
    await clock.advance(0);
    expect(await deleted).toBe('delete /a');
    await second.close();
  });

  it('finds all of it readable by the owner only', async () => {
    const store = await openStore();
    const modes = await Promise.all(
      ['', 'data.mdb', 'data.mdb-lock', 'format.json', 'holder.1.json'].map(async (name) => {
        const { mode } = await stat(join(directory, 'store', name));
        return (mode & 0o777).toString(8);
      }),
    );
    await store.close();
    expect(modes).toEqual(['700', '600', '600', '600', '600']);
  });
});

describe('the file', () => {
  it('does not grow with keys that expire and history that is compacted', async () => {
    const store = await openStore();
    const size = async (): Promise<number> => (await stat(join(directory, 'store/data.mdb'))).size;
    const sizes: number[] = [];
    for (let round = 0; round < 12; round += 1) {
      const keys = Array.from({ length: 200 }, (_, index) => `/events/${round}-${index}`);
      await Promise.all(keys.map((key) => store.create(key, Buffer.alloc(2_000), { ttlMs: 60_000 })));
      const gone = store.revision + 200;
      const emptied = new Promise<void>((resolve) => {
        const onEvents = (): void => {
          if (store.revision === gone) resolve();
        };
        store.watch({ prefix: '/events/', after: store.revision, onEvents, onError: () => {} });
      });
      await clock.advance(61_000);
      await emptied;
      await store.compact(store.revision);
      sizes.push(await size());
    }
    await store.close();
    expect(Math.max(...sizes.slice(6))).toBeLessThanOrEqual(Math.max(...sizes.slice(0, 6)));
  });
});

describe('a held directory', () => {
  it('is refused with who holds it and since when, until it is given back', async () => {
    const store = await openStore();
    await expect(openStore()).rejects.toMatchObject({
      code: 'HELD',
      message: expect.stringMatching(
        new RegExp(`store is held by process ${process.pid} since 2026-.*Z: stop`),
      ),
    });
    await store.close();
    await (await openStore()).close();
  });

  const holders = [
    { of: 'a dead process', holder: { pid: 2 ** 22 + 1, started: 'x', since: '2026-01-01T00:00:00Z' } },
    {
      of: 'an earlier process of a pid in use',
      holder: { pid: 1, started: 'before', since: '2026-01-01T00:00:00Z' },
    },
    { of: 'nobody (a torn file)', holder: undefined },
  ];
  it.each(holders)('is taken over from $of', async ({ holder }) => {
    await mkdir(join(directory, 'store'));
    await writeFile(join(directory, 'store/holder.1.json'), JSON.stringify(holder) ?? '{"pid":');
    const store = await openStore();
    await expect(openStore()).rejects.toMatchObject({ code: 'HELD' });
    await store.close();
  });

  it('goes to exactly one of many that find it stale at once', async () => {
    await mkdir(join(directory, 'store'));
    await writeFile(join(directory, 'store/holder.1.json'), 'torn');
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => openStore()));
    const opened = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    await Promise.all(opened.map((store) => store.close()));
    expect(opened).toHaveLength(1);
  });
});

describe('a data directory that cannot be used', () => {
  const damages = [
    {
      what: 'of a newer format',
      damage: (path: string) => writeFile(join(path, 'format.json'), '{"format":99}'),
      code: 'NEWER_FORMAT',
      message: /has store format 99, this program knows up to 1: use the newer Kanoe/,
    },
    {
      what: 'with an unreadable format',
      damage: (path: string) => writeFile(join(path, 'format.json'), 'x'),
      code: 'CORRUPT',
      message: /format.json does not tell a format: x/,
    },
    {
      what: 'without its format',
      damage: (path: string) => rm(join(path, 'format.json')),
      code: 'CORRUPT',
      message: /format.json is missing beside/,
    },
    {
      what: 'full of something else',
      damage: (path: string) => writeFile(join(path, 'data.mdb'), 'something else '.repeat(10_000)),
      code: 'CORRUPT',
      message: /is damaged: restore it from a backup/,
    },
    {
      what: 'cut off within its first page',
      damage: (path: string) => truncate(join(path, 'data.mdb'), 3_000),
      code: 'CORRUPT',
      message: /is damaged: restore it from a backup/,
    },
    {
      what: 'cut off in the middle',
      damage: (path: string) => truncate(join(path, 'data.mdb'), 400 * 4096),
      code: 'CORRUPT',
      message: /is damaged: restore it from a backup/,
    },
    {
      what: 'cut off at the start',
      damage: (path: string) => truncate(join(path, 'data.mdb'), 5_000),
      code: 'CORRUPT',
      message: /is damaged: restore it from a backup/,
    },
  ];
  it.each(damages)('$what is told as such and left free', async ({ damage, code, message }) => {
    const path = join(directory, 'store');
    const store = await openStore();
    await Promise.all(
      Array.from({ length: 1_000 }, (_, index) => store.create(`/${index}`, Buffer.alloc(2_000))),
    );
    await store.close();
    await damage(path);
    await expect(openStore()).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    await expect(stat(join(path, 'holder.1.json'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('because it is a file is unreadable', async () => {
    await writeFile(join(directory, 'store'), 'a file');
    await expect(openStore()).rejects.toMatchObject({ code: 'UNREADABLE', message: /cannot use .*store: / });
  });
});

describe('a full disk', () => {
  const isRoot = process.getuid?.() === 0;

  it.skipIf(!isRoot)(
    'refuses writes, keeps what was acknowledged and goes on when there is room again',
    async () => {
      const path = join(directory, 'small');
      const mount = (...args: string[]): void => {
        const { status, stderr } = spawnSync('mount', [...args, path], { encoding: 'utf8' });
        expect(stderr).toBe('');
        expect(status).toBe(0);
      };
      await mkdir(path);
      mount('-t', 'tmpfs', '-o', 'size=4m', 'kanoe-test');
      try {
        const store = await openStore(path);
        const kept: string[] = [];
        const refused: Promise<number>[] = [];
        for (let round = 0; round < 60; round += 1) {
          const keys = Array.from({ length: 10 }, (_, index) => `/${round}-${index}`);
          const writes = keys.map((key) => store.create(key, Buffer.alloc(10_000, round)));
          const results = await Promise.allSettled(writes);
          kept.push(...keys.filter((_, index) => results[index]?.status === 'fulfilled'));
          refused.push(...writes.filter((_, index) => results[index]?.status === 'rejected'));
        }
        expect(refused.length).toBeGreaterThan(0);
        for (const write of refused) await expect(write).rejects.toMatchObject({ code: 'NO_SPACE' });
        expect((await store.list('/')).entries.map(({ key }) => key)).toEqual(kept.toSorted());
        const before = store.revision;
        expect(before).toBe(1 + kept.length);
        mount('-o', 'remount,size=16m');
        expect(await store.create('/after', bytes('1'))).toBe(before + 1);
        await store.close();
        const reopened = await openStore(path);
        expect((await reopened.list('/')).entries.map(({ key }) => key)).toEqual(
          [...kept, '/after'].toSorted(),
        );
        await reopened.close();
      } finally {
        spawnSync('umount', [path]);
      }
      expect(await readFile('/proc/mounts', 'utf8')).not.toContain(path);
    },
  );
});
