import type { MetricRegistry } from '../../base/metrics/registry.ts';
import { exponentialBuckets } from '../../base/metrics/histogram.ts';
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
