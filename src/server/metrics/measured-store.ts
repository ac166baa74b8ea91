import type { Clock } from '../../base/clock.ts';
import type { Value } from '../../base/metrics/counter.ts';
import type { Distribution } from '../../base/metrics/histogram.ts';
import type { MetricRegistry } from '../../base/metrics/registry.ts';
import type { Store } from '../../storage/kv.ts';

const buckets = [
  0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];

/** The store, with its calls counted and timed under the names that upstream has for those of etcd. */
export function measuredStore(store: Store, registry: MetricRegistry, clock: Clock): Store {
  const labels = ['operation', 'group', 'resource'];
  const durations = registry.histogram({
    name: 'etcd_request_duration_seconds',
    help: '[ALPHA] How long calls of the store take, in seconds.',
    labels,
    buckets,
  });
  const calls = registry.counter({
    name: 'etcd_requests_total',
    help: '[ALPHA] Calls of the store.',
    labels,
  });
  const series = new Map<string, { readonly duration: Distribution; readonly count: Value }>();
  const seriesOf = (operation: string, key: string): { duration: Distribution; count: Value } => {
    const [, , group = '', resource = ''] = key.split('/', 4);
    const name = `${operation}/${group}/${resource}`;
    let found = series.get(name);
    if (!found) {
      const values = [operation, group === 'core' ? '' : group, resource];
      found = { duration: durations.labels(...values), count: calls.labels(...values) };
      series.set(name, found);
    }
    return found;
  };
  const timed = async <T>(operation: string, key: string, call: Promise<T>): Promise<T> => {
    const { duration, count } = seriesOf(operation, key);
    const startedAt = clock.monotonic();
    count.add();
    try {
      return await call;
    } finally {
      duration.observe((clock.monotonic() - startedAt) / 1000);
    }
  };
  return {
    get revision() {
      return store.revision;
    },
    size: () => store.size(),
    get: (key) => timed('get', key, store.get(key)),
    list: (prefix, options) => timed('list', prefix, store.list(prefix, options)),
    create: (key, value, options) => timed('create', key, store.create(key, value, options)),
    update: (key, value, expected) => timed('update', key, store.update(key, value, expected)),
    delete: (key, expected) => timed('delete', key, store.delete(key, expected)),
    watch: (options) => store.watch(options),
    compact: (revision) => timed('compact', '', store.compact(revision)),
    close: () => store.close(),
  };
}
