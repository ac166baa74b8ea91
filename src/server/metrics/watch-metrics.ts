import { exponentialBuckets } from '../../base/metrics/histogram.ts';
import type { MetricRegistry } from '../../base/metrics/registry.ts';
import type { WatchObserver, WatchScope } from '../http/watch-observer.ts';
import type { ServedVersion } from '../registry/served-resource.ts';

/** Counts the events of watches and their sizes, and times the beginnings of those that start with the state. */
export function watchMetrics(
  registry: MetricRegistry,
): (served: ServedVersion, scope: WatchScope) => WatchObserver {
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
  const lists = registry.histogram({
    name: 'apiserver_watch_list_duration_seconds',
    help: '[BETA] How long it takes until a watch that starts with the state has sent it, in seconds.',
    labels: [...labels, 'scope'],
    buckets: [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 2, 4, 6, 8, 10, 15, 20, 30, 45, 60],
  });
  return ({ type: { group, version, resource } }, scope) => {
    const count = total.labels(group, version, resource);
    const size = sizes.labels(group, version, resource);
    return {
      event(bytes) {
        count.add();
        size.observe(bytes);
      },
      initialEnd: (ms) => lists.labels(group, version, resource, scope).observe(ms / 1000),
    };
  };
}
