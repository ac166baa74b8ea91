import { expect, it } from 'vitest';
import { FakeClock } from '../../base/fake-clock.ts';
import type { KubeObject } from '../../machinery/object.ts';
import { newInternalError } from '../../machinery/status/errors.ts';
import type { StatusError } from '../../machinery/status-error.ts';
import type { StoreEvent } from '../../storage/kv.ts';
import { ResourceCache } from '../watch/resource-cache.ts';
import type { StoreFeed } from '../watch/store-feed.ts';
import { CustomCache } from './custom-cache.ts';

const prefix = '/registry/toys/cars/';

function bytesOf(name: string): Buffer {
  return Buffer.from(JSON.stringify({ apiVersion: 'toys/v1', kind: 'Car', metadata: { name } }));
}

function put(name: string, revision: number): StoreEvent {
  return {
    type: 'put',
    key: `${prefix}ns/${name}`,
    revision,
    createdRevision: revision,
    value: bytesOf(name),
  };
}

/** A cache over `names`; those in `refused` cannot be converted. */
function cacheOf(names: readonly string[], refused: Set<string>): { cache: CustomCache; fills(): number } {
  let fills = 0;
  const feed = { subscribe: () => undefined, unsubscribe: () => undefined } as object as StoreFeed;
  const cache = new CustomCache({
    cache: new ResourceCache({
      prefix,
      namespaced: true,
      clock: new FakeClock(),
      decode: (bytes) => JSON.parse(bytes.toString()) as KubeObject,
      selectable: () => ({}),
    }),
    feed,
    list: () => {
      fills++;
      const entries = names.map((name, at) => ({
        key: `${prefix}ns/${name}`,
        value: bytesOf(name),
        revision: at + 1,
        createdRevision: at + 1,
      }));
      return Promise.resolve({ entries, revision: names.length });
    },
    translate: (values) =>
      Promise.resolve(
        values.map((value): Buffer | StatusError => {
          const { metadata } = JSON.parse(value.toString()) as KubeObject;
          return refused.has(metadata.name ?? '') ? newInternalError(`no ${metadata.name}`) : value;
        }),
      ),
  });
  return { cache, fills: () => fills };
}

it('reads what can be converted, and says why the rest cannot', async () => {
  const refused = new Set(['bad']);
  const { cache, fills } = cacheOf(['bad', 'good'], refused);
  await cache.readyWith({ key: `${prefix}ns/good` });
  expect(cache.cache.get(`${prefix}ns/good`)?.name).toBe('good');
  expect(fills()).toBe(1);
  await expect(cache.readyWith({ key: `${prefix}ns/bad` })).rejects.toThrow('no bad');
  await expect(cache.readyWith({ prefix: `${prefix}ns/` })).rejects.toThrow('no bad');
  await cache.readyWith({ prefix: `${prefix}other/` });
  refused.clear();
  await cache.readyWith({ prefix });
  expect(cache.cache.size).toBe(2);
});

it('forgets an object that can no longer be converted, and ends who watches', async () => {
  const refused = new Set<string>();
  const { cache } = cacheOf(['a'], refused);
  await cache.ready();
  let ended = 0;
  cache.cache.subscribe({ onEvents: () => undefined, onEnd: () => ended++ });
  refused.add('a');
  cache.onEvents([put('a', 2), put('b', 3)]);
  await cache.ready();
  expect([cache.cache.get(`${prefix}ns/a`), cache.cache.get(`${prefix}ns/b`)?.name, ended]).toEqual([
    undefined,
    'b',
    1,
  ]);
});
