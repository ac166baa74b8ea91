import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../base/fake-clock.ts';
import type { KubeObject } from '../../machinery/object.ts';
import type { StoreEvent } from '../../storage/kv.ts';
import { ResourceCache, type CacheEvent } from './resource-cache.ts';
import { seenThrough, startWatch, type SeenEvent } from './watch-stream.ts';

const prefix = '/registry/core/configmaps/';

function bytes(name: string, labels: Record<string, string> = {}): Buffer {
  return Buffer.from(JSON.stringify({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name, labels } }));
}

function put(revision: number, name: string, labels?: Record<string, string>): StoreEvent {
  return {
    type: 'put',
    key: `${prefix}ns/${name}`,
    revision,
    createdRevision: revision,
    value: bytes(name, labels),
  };
}

function remove(revision: number, name: string): StoreEvent {
  return { type: 'delete', key: `${prefix}ns/${name}`, revision, createdRevision: 1, value: bytes(name) };
}

function newCache(clock = new FakeClock()): ResourceCache {
  const cache = new ResourceCache({
    prefix,
    namespaced: true,
    clock,
    decode: (stored) => JSON.parse(stored.toString()) as KubeObject,
    selectable: () => ({}),
  });
  cache.restore([], 10);
  return cache;
}

const names = (cache: ResourceCache, revision: number): string[] | undefined => {
  const state = cache.snapshot(revision);
  return state && [...state.range(prefix)].map((entry) => entry.name);
};

describe('ResourceCache', () => {
  it('shows the version in the bytes and in the frozen object', () => {
    const cache = newCache();
    cache.onEvents([put(11, 'a')]);
    const entry = cache.get(`${prefix}ns/a`);
    expect(entry && JSON.parse(entry.json.toString())).toMatchObject({
      metadata: { name: 'a', resourceVersion: '11' },
    });
    const object = entry && cache.object(entry);
    expect(object?.metadata.resourceVersion).toBe('11');
    expect(Object.isFrozen(object?.metadata)).toBe(true);
  });

  it('gives the state of every version in its window', () => {
    const cache = newCache();
    cache.onEvents([put(11, 'a'), put(12, 'b')]);
    cache.onEvents([remove(15, 'a'), put(16, 'c')]);
    expect([9, 10, 11, 12, 14, 15, 16, 20].map((revision) => names(cache, revision))).toEqual([
      undefined,
      [],
      ['a'],
      ['a', 'b'],
      ['a', 'b'],
      ['b'],
      ['b', 'c'],
      ['b', 'c'],
    ]);
  });

  it('forgets events after five minutes, but not what was kept for further pages', async () => {
    const clock = new FakeClock();
    const cache = newCache(clock);
    cache.onEvents([put(11, 'a')]);
    await clock.advance(200_000);
    cache.onEvents([put(12, 'b')]);
    cache.keep(11);
    await clock.advance(101_000);
    cache.onEvents([put(13, 'c')]);
    expect(cache.eventsAfter(10)).toBeUndefined();
    expect(cache.eventsAfter(11)?.map((event) => event.revision)).toEqual([12, 13]);
    expect(names(cache, 11)).toEqual(['a']);
  });

  it('forgets what would fill the memory', () => {
    const cache = newCache();
    const large = { filler: 'x'.repeat(1 << 20) };
    cache.onEvents(Array.from({ length: 100 }, (_, index) => put(11 + index, 'a', large)));
    expect(cache.eventsAfter(20)).toBeUndefined();
    expect(cache.eventsAfter(100)?.map(({ revision }) => revision)).toEqual([
      101, 102, 103, 104, 105, 106, 107, 108, 109, 110,
    ]);
    expect(names(cache, 110)).toEqual(['a']);
  });

  it('shows a watcher what passes and leaves its filter', () => {
    const cache = newCache();
    const seen: string[] = [];
    const note = (events: readonly SeenEvent[]): void => {
      for (const event of events) seen.push(`${event.type} ${event.entry.name} ${event.revision}`);
    };
    cache.onEvents([put(11, 'old', { app: 'web' })]);
    const watch = startWatch({
      cache,
      selection: {
        prefix: `${prefix}ns/`,
        filtered: true,
        matches: (entry) => entry.labels['app'] === 'web',
      },
      after: undefined,
      onEvents: note,
      onEnd: () => seen.push('end'),
    });
    cache.onEvents([
      put(12, 'a'),
      put(13, 'a', { app: 'web' }),
      put(14, 'a', { app: 'web' }),
      put(15, 'a'),
      remove(16, 'a'),
    ]);
    watch.close();
    cache.onEvents([put(17, 'a', { app: 'web' })]);
    expect(seen).toEqual(['ADDED old 11', 'ADDED a 13', 'MODIFIED a 14', 'DELETED a 15']);
  });

  it('refuses a start before its window', () => {
    const start = (): unknown =>
      startWatch({
        cache: newCache(),
        selection: { prefix, filtered: false, matches: () => true },
        after: 5,
        onEvents: () => undefined,
        onEnd: () => undefined,
      });
    expect(start).toThrow('too old resource version: 5 (10)');
  });

  it('passes over other namespaces', () => {
    const cache = newCache();
    const events: CacheEvent[] = [];
    cache.subscribe({ onEvents: (some) => events.push(...some), onEnd: () => undefined });
    cache.onEvents([put(11, 'a')]);
    const selection = { prefix: `${prefix}other/`, filtered: false, matches: () => true };
    expect(events.map((event) => seenThrough(selection, event))).toEqual([undefined]);
  });
});
