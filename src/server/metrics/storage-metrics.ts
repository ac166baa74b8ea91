import type { Counter } from '../../base/metrics/counter.ts';
import type { MetricRegistry } from '../../base/metrics/registry.ts';
import { exponentialBuckets } from '../../base/metrics/histogram.ts';
import type { ListObserver } from '../registry/request-context.ts';
import type { ResourceTable, ServedResource, ServedVersion } from '../registry/served-resource.ts';

/** How much is stored, read from the caches when somebody asks. */
export function storageMetrics(registry: MetricRegistry, table: () => ResourceTable): void {
  const stored = (): readonly ServedResource[] =>
    table().resources.filter(({ definition }) => !definition.review && !definition.compute);
  registry.reading(
    'gauge',
    {
      name: 'apiserver_storage_objects',
      help: '[STABLE] Stored objects, by resource and group.',
      labels: ['resource'],
    },
    () =>
      stored().map(({ stored: { group, resource }, cache }) => [
        [group === '' ? resource : `${resource}.${group}`],
        cache.size,
      ]),
  );
  registry.reading(
    'gauge',
    {
      name: 'apiserver_resource_objects',
      help: '[ALPHA] Stored objects, by group and resource.',
      labels: ['group', 'resource'],
    },
    () => stored().map(({ stored: { group, resource }, cache }) => [[group, resource], cache.size]),
  );
  registry.reading(
    'gauge',
    {
      name: 'apiserver_watch_cache_resource_version',
      help: '[ALPHA] The version of the newest change to a resource that the cache has seen.',
      labels: ['group', 'resource'],
    },
    () => stored().map(({ stored: { group, resource }, cache }) => [[group, resource], cache.changed]),
  );
  for (const { type, name, help, read } of cacheMetrics)
    registry.reading(type, { name, help: `[ALPHA] ${help}`, labels: ['group', 'resource'] }, () =>
      stored().map(({ stored: { group, resource }, cache }) => [[group, resource], read(cache)]),
    );
}

interface CacheMetric {
  readonly type: 'counter' | 'gauge';
  readonly name: string;
  readonly help: string;
  read(cache: ServedResource['cache']): number;
}

const cacheMetrics: readonly CacheMetric[] = [
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
    read: () => 1,
  },
];

/** Counts lists and the objects that they look at and answer. */
export function listMetrics(registry: MetricRegistry): ListObserver {
  const labels = ['group', 'resource'];
  const indexed = [...labels, 'index'];
  const counter = (name: string, help: string, names: readonly string[]): Counter =>
    registry.counter({ name: `apiserver_cache_list_${name}`, help: `[ALPHA] ${help}`, labels: names });
  const total = counter('total', 'Lists that the cache has answered.', indexed);
  const fetched = counter('fetched_objects_total', 'Objects that lists have looked at.', indexed);
  const returned = counter('returned_objects_total', 'Objects that lists have answered.', labels);
  return ({ stored: { group, resource } }, counts) => {
    total.labels(group, resource, '').add();
    fetched.labels(group, resource, '').add(counts.looked);
    returned.labels(group, resource).add(counts.returned);
  };
}

/** Counts the events of watches and their sizes. */
export function watchMetrics(registry: MetricRegistry): (served: ServedVersion) => (size: number) => void {
  const labels = ['group', 'version', 'resource'];
  const total = registry.counter({
    name: 'apiserver_watch_events_total',
    help: '[ALPHA] Events sent to watches.',
    labels,
  });
  const sizes = registry.histogram({
    name: 'apiserver_watch_events_sizes',
    help: '[ALPHA] Sizes of the events sent to watches, in bytes.',
    labels,
    buckets: exponentialBuckets(1024, 2, 8),
  });
  return ({ type: { group, version, resource } }) => {
    const count = total.labels(group, version, resource);
    const size = sizes.labels(group, version, resource);
    return (bytes) => {
      count.add();
      size.observe(bytes);
    };
  };
}
