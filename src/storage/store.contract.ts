import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../base/fake-clock.ts';
import type { Clock } from '../base/clock.ts';
import type { Entry, Store, StoreError, StoreEvent } from './kv.ts';

/** How the suite gets at a driver. */
export interface StoreDriver {
  readonly name: string;
  /** Opens an empty store. */
  open(clock: Clock): Promise<Store>;
  /** Removes what `open` left behind. */
  cleanUp(): Promise<void>;
}

const bytes = (text: string): Buffer => Buffer.from(text);
const text = (value: Buffer | undefined): string => value?.toString() ?? 'undefined';
const keysOf = (entries: readonly Entry[]): string[] => entries.map(({ key }) => key);
const show = (event: StoreEvent): string =>
  `${event.revision} ${event.type} ${event.key}=${text(event.value)} created=${event.createdRevision} was=${text(event.previous)}`;

/** Collects what a watch hears; `until(n)` waits for the n-th event. */
function listen(store: Store, prefix: string, after: number) {
  const events: StoreEvent[] = [];
  const errors: StoreError[] = [];
  let wake: (() => void) | undefined;
  const watch = store.watch({
    prefix,
    after,
    onEvents: (batch) => {
      events.push(...batch);
      wake?.();
    },
    onError: (error) => {
      errors.push(error);
      wake?.();
    },
  });
  const wait = async (enough: () => boolean): Promise<void> => {
    while (!enough()) await new Promise<void>((resolve) => (wake = resolve));
  };
  return {
    events,
    errors,
    close: () => watch.close(),
    until: async (count: number): Promise<string[]> => {
      await wait(() => events.length >= count);
      return events.map(show);
    },
    ended: async (): Promise<string | undefined> => {
      await wait(() => errors.length > 0);
      return errors[0]?.code;
    },
  };
}

/** Every sentence of `kv.ts`, for every driver. */
export function describeStore(driver: StoreDriver): void {
  describe(`${driver.name} store`, () => {
    const stores: Store[] = [];
    const open = async (clock: Clock = new FakeClock()): Promise<Store> => {
      const store = await driver.open(clock);
      stores.push(store);
      return store;
    };
    afterEach(async () => {
      await Promise.all(stores.splice(0).map((store) => store.close()));
      await driver.cleanUp();
    });

    describe('writes', () => {
      it('starts above revision 0 and grows by one with each write', async () => {
        const store = await open();
        const first = store.revision;
        expect(first).toBeGreaterThan(0);
        expect(await store.create('/a', bytes('1'))).toBe(first + 1);
        expect(await store.update('/a', bytes('2'), first + 1)).toBe(first + 2);
        expect(await store.delete('/a', first + 2)).toBe(first + 3);
        expect(store.revision).toBe(first + 3);
      });

      it('returns an entry as it was written, with both revisions', async () => {
        const store = await open();
        const created = await store.create('/a', bytes('1'));
        const updated = await store.update('/a', Buffer.from([0, 255, 10]), created);
        expect(await store.get('/a')).toEqual({
          key: '/a',
          value: Buffer.from([0, 255, 10]),
          revision: updated,
          createdRevision: created,
        });
        expect(await store.get('/b')).toBeUndefined();
      });

      it('keeps an empty value', async () => {
        const store = await open();
        await store.create('/a', Buffer.alloc(0));
        expect((await store.get('/a'))?.value).toEqual(Buffer.alloc(0));
      });

      it('refuses what the preconditions forbid and changes nothing', async () => {
        const store = await open();
        const at = await store.create('/a', bytes('1'));
        await expect(store.create('/a', bytes('x'))).rejects.toMatchObject({ code: 'KEY_EXISTS' });
        await expect(store.update('/a', bytes('x'), at - 1)).rejects.toMatchObject({
          code: 'REVISION_CONFLICT',
        });
        await expect(store.delete('/a', at + 1)).rejects.toMatchObject({ code: 'REVISION_CONFLICT' });
        await expect(store.update('/b', bytes('x'), at)).rejects.toMatchObject({ code: 'KEY_NOT_FOUND' });
        await expect(store.delete('/b', at)).rejects.toMatchObject({ code: 'KEY_NOT_FOUND' });
        expect(store.revision).toBe(at);
        expect((await store.get('/a'))?.value).toEqual(bytes('1'));
      });

      it('checks the preconditions of writes of one tick in call order', async () => {
        const store = await open();
        const first = store.revision;
        const results = await Promise.allSettled([
          store.create('/a', bytes('1')),
          store.create('/a', bytes('2')),
          store.update('/a', bytes('3'), first + 1),
          store.update('/a', bytes('4'), first + 1),
          store.delete('/a', first + 2),
          store.create('/a', bytes('5')),
          store.delete('/b', first),
        ]);
        expect(
          results.map((result) =>
            result.status === 'fulfilled' ? result.value - first : result.reason.code,
          ),
        ).toEqual([1, 'KEY_EXISTS', 2, 'REVISION_CONFLICT', 3, 4, 'KEY_NOT_FOUND']);
        expect(await store.get('/a')).toMatchObject({ value: bytes('5'), createdRevision: first + 4 });
      });

      it('shows a write to readers once it is acknowledged, not before', async () => {
        const store = await open();
        const before = store.revision;
        const acknowledged = store.create('/a', bytes('1'));
        expect(store.revision).toBe(before);
        const at = await acknowledged;
        expect(store.revision).toBe(at);
        expect((await store.get('/a'))?.revision).toBe(at);
        expect((await store.list('/')).revision).toBe(at);
      });

      it('lets readers in while writes are under way see one consistent state', async () => {
        const store = await open();
        const at = await store.create('/a', bytes('0'));
        let last = at;
        const writers = (async () => {
          for (let round = 1; round <= 20; round += 1) {
            const [updated] = await Promise.all([
              store.update('/a', bytes(`${round}`), last),
              store.create(`/b${String(round).padStart(2, '0')}`, bytes(`${round}`)),
            ]);
            last = updated;
          }
        })();
        for (let read = 0; read < 200; read += 1) {
          const { entries, revision } = await store.list('/');
          const round = (revision - at) / 2;
          expect(entries.length).toBe(1 + round);
          expect(entries[0]?.value.toString()).toBe(`${round}`);
          await new Promise((resolve) => setImmediate(resolve));
        }
        await writers;
      });
    });

    describe('lists', () => {
      it('returns a prefix in byte order and nothing beside it', async () => {
        const store = await open();
        for (const key of ['/p/b', '/p/a', '/p', '/p/a/x', '/p0', '/p/B', '/o/z', '/p/~']) {
          await store.create(key, bytes(key));
        }
        expect(keysOf((await store.list('/p/')).entries)).toEqual(['/p/B', '/p/a', '/p/a/x', '/p/b', '/p/~']);
        expect(keysOf((await store.list('')).entries)).toHaveLength(8);
        expect(keysOf((await store.list('/q')).entries)).toEqual([]);
      });

      it('pages at the revision of the first page while writes go on', async () => {
        const store = await open();
        const at: number[] = [];
        for (const name of ['a', 'b', 'c', 'd', 'e']) at.push(await store.create(`/p/${name}`, bytes(name)));
        const first = await store.list('/p/', { limit: 2 });
        expect(keysOf(first.entries)).toEqual(['/p/a', '/p/b']);
        expect(first.remaining).toBe(3);
        await store.delete('/p/c', at[2] ?? 0);
        await store.create('/p/cc', bytes('new'));
        await store.update('/p/d', bytes('changed'), at[3] ?? 0);
        await store.create('/p/z', bytes('new'));
        const { revision } = first;
        const second = await store.list('/p/', { limit: 2, after: '/p/b', revision });
        expect(second.entries.map(({ key, value }) => `${key}=${text(value)}`)).toEqual(['/p/c=c', '/p/d=d']);
        expect(second).toMatchObject({ revision, remaining: 1 });
        const third = await store.list('/p/', { limit: 2, after: '/p/d', revision });
        expect(keysOf(third.entries)).toEqual(['/p/e']);
        expect(third.remaining).toBe(0);
        expect(keysOf((await store.list('/p/')).entries)).toEqual([
          '/p/a',
          '/p/b',
          '/p/cc',
          '/p/d',
          '/p/e',
          '/p/z',
        ]);
      });

      it('refuses a revision that has not happened', async () => {
        const store = await open();
        await expect(store.list('/', { revision: store.revision + 1 })).rejects.toMatchObject({
          code: 'FUTURE_REVISION',
        });
      });
    });

    describe('watches', () => {
      it('replays history after the given revision, then goes on live, each write once', async () => {
        const store = await open();
        const a = await store.create('/p/a', bytes('1'));
        const b = await store.update('/p/a', bytes('2'), a);
        await store.create('/q/a', bytes('other'));
        const heard = listen(store, '/p/', a);
        const d = await store.delete('/p/a', b);
        const e = await store.create('/p/a', bytes('3'));
        expect(await heard.until(3)).toEqual([
          `${b} put /p/a=2 created=${a} was=1`,
          `${d} delete /p/a=2 created=${a} was=2`,
          `${e} put /p/a=3 created=${e} was=undefined`,
        ]);
      });

      it('hears nothing before it has been returned, and nothing after it is closed', async () => {
        const store = await open();
        const before = store.revision;
        await store.create('/a', bytes('1'));
        const heard = listen(store, '/', before);
        expect(heard.events).toEqual([]);
        await heard.until(1);
        heard.close();
        await store.create('/b', bytes('1'));
        expect(heard.events).toHaveLength(1);
        expect(heard.errors).toEqual([]);
      });

      it('waits for revisions that are still to come', async () => {
        const store = await open();
        const heard = listen(store, '/', store.revision + 1);
        await store.create('/a', bytes('1'));
        const second = await store.create('/b', bytes('2'));
        expect(await heard.until(1)).toEqual([`${second} put /b=2 created=${second} was=undefined`]);
      });

      it('gives the events of one tick in order of revision', async () => {
        const store = await open();
        const heard = listen(store, '/', store.revision);
        const revisions = await Promise.all(
          Array.from({ length: 100 }, (_, index) => store.create(`/${99 - index}`, bytes(''))),
        );
        await heard.until(100);
        expect(heard.events.map(({ revision }) => revision)).toEqual(revisions);
      });
    });

    describe('compaction', () => {
      it('forgets what came before and keeps the state at the revision itself', async () => {
        const store = await open();
        const a = await store.create('/a', bytes('1'));
        const b = await store.update('/a', bytes('2'), a);
        const c = await store.update('/a', bytes('3'), b);
        await store.compact(b);
        await expect(store.list('/', { revision: a })).rejects.toMatchObject({ code: 'COMPACTED' });
        expect(() => listen(store, '/', a)).toThrow(expect.objectContaining({ code: 'COMPACTED' }));
        expect((await store.list('/', { revision: b })).entries[0]?.value).toEqual(bytes('2'));
        expect(await listen(store, '/', b).until(1)).toEqual([`${c} put /a=3 created=${a} was=2`]);
      });

      it('may be repeated, goes only forwards and not beyond the newest revision', async () => {
        const store = await open();
        const a = await store.create('/a', bytes('1'));
        await store.compact(a);
        await store.compact(a - 1);
        await store.compact(a);
        await expect(store.compact(a + 1)).rejects.toMatchObject({ code: 'FUTURE_REVISION' });
        await expect(store.list('/', { revision: a - 1 })).rejects.toMatchObject({ code: 'COMPACTED' });
        expect(await store.create('/b', bytes('1'))).toBe(a + 1);
      });

      it('happens by itself after five minutes', async () => {
        const clock = new FakeClock();
        const store = await open(clock);
        const a = await store.create('/a', bytes('1'));
        await store.update('/a', bytes('2'), a);
        await clock.advance(4 * 60_000);
        expect((await store.list('/', { revision: a })).entries[0]?.value).toEqual(bytes('1'));
        await clock.advance(2 * 60_000);
        await expect(store.list('/', { revision: a })).rejects.toMatchObject({ code: 'COMPACTED' });
        expect((await store.get('/a'))?.value).toEqual(bytes('2'));
      });
    });

    describe('time to live', () => {
      it('deletes the key with an event when its term is over, whatever was written to it', async () => {
        const clock = new FakeClock();
        const store = await open(clock);
        const heard = listen(store, '/', store.revision);
        const a = await store.create('/a', bytes('1'), { ttlMs: 1_000 });
        await clock.advance(900);
        const b = await store.update('/a', bytes('2'), a);
        await clock.advance(99);
        expect((await store.get('/a'))?.value).toEqual(bytes('2'));
        await clock.advance(1);
        expect((await heard.until(3)).at(-1)).toBe(`${b + 1} delete /a=2 created=${a} was=2`);
        expect(await store.get('/a')).toBeUndefined();
      });

      it('spares a key that was deleted and created again', async () => {
        const clock = new FakeClock();
        const store = await open(clock);
        const a = await store.create('/a', bytes('1'), { ttlMs: 1_000 });
        await store.delete('/a', a);
        await store.create('/a', bytes('2'));
        const b = await store.create('/b', bytes('1'), { ttlMs: 2_000 });
        await store.delete('/b', b);
        await store.create('/b', bytes('2'), { ttlMs: 2_000 });
        const heard = listen(store, '/', store.revision);
        await clock.advance(1_500);
        await clock.advance(1_500);
        await heard.until(1);
        expect(keysOf((await store.list('/')).entries)).toEqual(['/a']);
      });

      it('ends terms in their order, however they were created', async () => {
        const clock = new FakeClock();
        const store = await open(clock);
        await Promise.all([30, 10, 20].map((ttlMs) => store.create(`/${ttlMs}`, bytes(''), { ttlMs })));
        const heard = listen(store, '/', store.revision);
        for (let count = 1; count <= 3; count += 1) {
          await clock.advance(10);
          await heard.until(count);
        }
        expect(heard.events.map(({ key }) => key)).toEqual(['/10', '/20', '/30']);
      });
    });

    describe('closing', () => {
      it('waits for pending writes, ends watches and refuses what comes later', async () => {
        const store = await open();
        const heard = listen(store, '/', store.revision);
        const pending = store.create('/a', bytes('1'));
        const closed = store.close();
        await expect(pending).resolves.toBeGreaterThan(0);
        await closed;
        expect(await heard.ended()).toBe('CLOSED');
        expect(heard.events).toHaveLength(1);
        await expect(store.create('/b', bytes('1'))).rejects.toMatchObject({ code: 'CLOSED' });
        await expect(store.get('/a')).rejects.toMatchObject({ code: 'CLOSED' });
        await expect(store.list('/')).rejects.toMatchObject({ code: 'CLOSED' });
        await expect(store.compact(1)).rejects.toMatchObject({ code: 'CLOSED' });
        expect(() => listen(store, '/', 1)).toThrow(expect.objectContaining({ code: 'CLOSED' }));
        await store.close();
        expect(heard.errors).toHaveLength(1);
      });
    });

    it('behaves like a list of writes, for any run of commands', async () => {
      expect.hasAssertions();
      await fc.assert(
        fc.asyncProperty(fc.array(command, { minLength: 1, maxLength: 40 }), async (commands) => {
          const store = await driver.open(new FakeClock());
          try {
            await runAgainstModel(store, commands);
          } finally {
            await store.close();
            await driver.cleanUp();
          }
        }),
        { numRuns: 30 },
      );
    });
  });
}

interface WriteCommand {
  readonly do: 'create' | 'update' | 'delete';
  readonly key: string;
  readonly value: string;
  readonly stale: boolean;
}

type Command =
  | WriteCommand
  | { readonly do: 'settle' }
  | { readonly do: 'list'; readonly back: number; readonly limit: number; readonly prefix: string }
  | { readonly do: 'compact'; readonly back: number };

const key = fc.constantFrom('/a', '/a/1', '/a/2', '/a0', '/b', '/b/1');
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('create' as const, 'update' as const, 'delete' as const),
      key,
      value: fc.string({ maxLength: 3 }),
      stale: fc.integer({ min: 0, max: 4 }).map((roll) => roll === 0),
    }),
  },
  { weight: 2, arbitrary: fc.constant({ do: 'settle' as const }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('list' as const),
      back: fc.nat({ max: 12 }),
      limit: fc.integer({ min: 1, max: 4 }),
      prefix: fc.constantFrom('', '/', '/a', '/a/', '/b/'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('compact' as const), back: fc.nat({ max: 12 }) }) },
);

/** Holds a write to its revision or to the code it is refused with. */
async function settles(write: Promise<number>, expected: number | string): Promise<void> {
  if (typeof expected === 'number') expect(await write).toBe(expected);
  else await expect(write).rejects.toMatchObject({ code: expected });
}

/** The model keeps the whole state after every revision. */
async function runAgainstModel(store: Store, commands: readonly Command[]): Promise<void> {
  const start = store.revision;
  const states = new Map<number, ReadonlyMap<string, Entry>>([[start, new Map()]]);
  const expected: string[] = [];
  const pending: Promise<void>[] = [];
  let newest = start;
  let compacted = start;
  const heard = listen(store, '/a', start);

  function write(next: WriteCommand): void {
    const state = states.get(newest) ?? new Map<string, Entry>();
    const current = state.get(next.key);
    const revision = newest + 1;
    const given = (current?.revision ?? 7) + Number(next.stale);
    const value = Buffer.from(next.value);
    const result = {
      create: () => store.create(next.key, value),
      update: () => store.update(next.key, value, given),
      delete: () => store.delete(next.key, given),
    }[next.do]();
    const refusal =
      next.do === 'create'
        ? current && 'KEY_EXISTS'
        : !current
          ? 'KEY_NOT_FOUND'
          : next.stale && 'REVISION_CONFLICT';
    if (refusal) {
      pending.push(settles(result, refusal));
      return;
    }
    pending.push(settles(result, revision));
    const after = new Map(state);
    const createdRevision = current?.createdRevision ?? revision;
    if (next.do === 'delete') after.delete(next.key);
    else after.set(next.key, { key: next.key, value, revision, createdRevision });
    states.set(revision, after);
    newest = revision;
    if (!next.key.startsWith('/a')) return;
    const type = next.do === 'delete' ? 'delete' : 'put';
    const shown = next.do === 'delete' ? current?.value : value;
    expected.push(
      `${revision} ${type} ${next.key}=${text(shown)} created=${createdRevision} was=${text(current?.value)}`,
    );
  }

  async function list({ back, limit, prefix }: Command & { readonly do: 'list' }): Promise<void> {
    const revision = Math.max(start, store.revision - back);
    if (revision < compacted) {
      await expect(store.list(prefix, { revision })).rejects.toMatchObject({ code: 'COMPACTED' });
      return;
    }
    const wanted = [...(states.get(revision)?.values() ?? [])]
      .filter((entry) => entry.key.startsWith(prefix))
      .sort((a, b) => (a.key < b.key ? -1 : 1));
    const found: Entry[] = [];
    for (;;) {
      const last = found.at(-1);
      const page = await store.list(prefix, { revision, limit, ...(last && { after: last.key }) });
      found.push(...page.entries);
      expect(page.remaining).toBe(wanted.length - found.length);
      if (page.remaining === 0) break;
    }
    expect(found).toEqual(wanted);
  }

  for (const next of commands) {
    if (next.do === 'settle') await Promise.all(pending.splice(0));
    else if (next.do === 'list') await list(next);
    else if (next.do === 'compact') {
      compacted = Math.max(compacted, store.revision - next.back);
      await store.compact(Math.max(start, store.revision - next.back));
    } else write(next);
  }
  await Promise.all(pending);
  expect(await heard.until(expected.length)).toEqual(expected);
  const replayed = listen(store, '/a', compacted);
  const late = expected.filter((line) => Number(line.split(' ')[0]) > compacted);
  expect(await replayed.until(late.length)).toEqual(late);
}
