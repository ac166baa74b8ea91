import { describe, expect, it } from 'vitest';
import { configmaps, type ConfigMap } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import type { Informer } from '../reconcile/informer.ts';
import { AssumeCache } from './assume-cache.ts';

const object = (value: string, resourceVersion: string, uid = 'u'): Live<ConfigMap> => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'a', namespace: 'n', uid, resourceVersion, creationTimestamp: '2026-01-01T00:00:00Z' },
  data: { value },
});

function informerOf(held: () => Live<ConfigMap>): Informer<ConfigMap> {
  return {
    type: configmaps,
    synced: () => Promise.resolve(),
    hasSynced: true,
    resourceVersion: '1',
    get: held,
    list: () => [held()],
    addIndex() {},
    byIndex: () => [],
    indexKeys: () => [],
    addHandler: () => ({ close() {} }),
  };
}

describe('AssumeCache', () => {
  it.each<[string, Live<ConfigMap>, string]>([
    ['answers with what was assumed', object('watched', '9'), 'assumed'],
    ['forgets it when a newer version is seen', object('watched', '10'), 'watched'],
    ['forgets it when the object was replaced', object('watched', '9', 'other'), 'watched'],
  ])('%s', (_name, seen, expected) => {
    const cache = new AssumeCache(informerOf(() => seen));
    cache.assume(object('assumed', '9'));
    expect(cache.get('n', 'a')?.data).toEqual({ value: expected });
    expect(cache.list()[0]?.data).toEqual({ value: expected });
  });

  it('goes back when told', () => {
    const cache = new AssumeCache(informerOf(() => object('watched', '9')));
    cache.assume(object('assumed', '9'));
    cache.restore(object('assumed', '9'));
    expect(cache.get('n', 'a')?.data).toEqual({ value: 'watched' });
  });
});
