import type { MetricRegistry } from '../../base/metrics/registry.ts';
import type { Store } from '../../storage/kv.ts';
import type { ResourceTable } from '../registry/served-resource.ts';
import type { ResourceCache } from '../watch/resource-cache.ts';

/** How much is stored, read from the store and the caches when somebody asks. */
export function storageMetrics(registry: MetricRegistry, store: Store, table: () => ResourceTable): void {
  registry.reading(
    'gauge',
    {
      name: 'apiserver_storage_size_bytes',
      help: "[STABLE] Size of the store's file, in bytes.",
      labels: ['storage_cluster_id'],
    },
    () => {
      const size = store.size();
      return size === undefined ? [] : [[['etcd-0'], size]];
    },
  );
  registry.reading(
    'gauge',
    {
      name: 'apiserver_storage_objects',
      help: '[STABLE] Stored objects, by resource and group.',
      labels: ['resource'],
    },
    () =>
      readings(table(), 'gauge', ({ size }) => size).map(([[group, resource], size]) => [
        [group === '' ? resource : `${resource}.${group}`],
        size,
      ]),
  );
  for (const { type, name, help, read } of cacheMetrics)
    registry.reading(type, { name, help: `[ALPHA] ${help}`, labels: ['group', 'resource'] }, () =>
      readings(table(), type, read),
    );
}

type Reading = readonly [names: readonly [group: string, resource: string], value: number];

/** One value for each stored resource. Versions of a custom resource have caches of their own, which count together. */
function readings(
  { resources }: ResourceTable,
  type: CacheMetric['type'],
  read: CacheMetric['read'],
): Reading[] {
  const found = new Map<string, Reading>();
  for (const { definition, stored, cache } of resources) {
    if (definition.review || definition.compute) continue;
    const { group, resource } = stored;
    const key = `${group}/${resource}`;
    const value = read(cache);
    const [, before] = found.get(key) ?? [];
    const together =
      before === undefined ? value : type === 'counter' ? before + value : Math.max(before, value);
    found.set(key, [[group, resource], together]);
  }
  return [...found.values()];
}

interface CacheMetric {
  readonly type: 'counter' | 'gauge';
  readonly name: string;
  readonly help: string;
  read(cache: ResourceCache): number;
}

const cacheMetrics: readonly CacheMetric[] = [
  {
    type: 'gauge',
    name: 'apiserver_resource_objects',
    help: 'Stored objects, by group and resource.',
    read: ({ size }) => size,
  },
  {
    type: 'gauge',
    name: 'apiserver_watch_cache_resource_version',
    help: 'The version of the newest change to a resource that the cache has seen.',
    read: ({ changed }) => changed,
  },
  {
    type: 'gauge',
    name: 'apiserver_resource_size_estimate_bytes',
    help: 'Sizes of the stored objects together, in bytes.',
    read: ({ bytes }) => bytes,
  },
  {
    type: 'counter',
    name: 'apiserver_storage_events_received_total',
    help: 'Changes that the store has reported.',
    read: ({ received }) => received,
  },
  {
    type: 'counter',
    name: 'apiserver_watch_cache_events_received_total',
    help: 'Changes that the cache has taken.',
    read: ({ received }) => received,
  },
  {
    type: 'counter',
    name: 'apiserver_watch_cache_events_dispatched_total',
    help: 'Changes that the cache has told its watchers.',
    read: ({ received }) => received,
  },
  {
    type: 'counter',
    name: 'apiserver_watch_cache_initializations_total',
    help: 'How often the cache was filled from the store.',
    read: ({ fills }) => fills,
  },
  {
    type: 'counter',
    name: 'apiserver_init_events_total',
    help: 'Events with which watches began, of what was there before them.',
    read: ({ initialEvents }) => initialEvents,
  },
  {
    type: 'gauge',
    name: 'watch_cache_capacity',
    help: 'Past changes that the cache has room for.',
    read: ({ capacity }) => capacity,
  },
  {
    type: 'counter',
    name: 'apiserver_storage_list_total',
    help: 'Lists that the store has answered, to fill the cache.',
    read: ({ fills }) => fills,
  },
  ...['fetched', 'evaluated', 'returned'].map((step): CacheMetric => ({
    type: 'counter',
    name: `apiserver_storage_list_${step}_objects_total`,
    help: `Objects ${step} in lists that the store has answered.`,
    read: ({ restored }) => restored,
  })),
];
