import type { Counter, Value } from '../../base/metrics/counter.ts';
import type { Distribution } from '../../base/metrics/histogram.ts';
import type { MetricRegistry } from '../../base/metrics/registry.ts';
import type { ComparisonPath, RegistryObserver } from '../registry/request-context.ts';
import type { ServedResource } from '../registry/served-resource.ts';

const labels = ['group', 'resource'];

/** The series of one resource, found once. */
interface Series {
  readonly total: Value;
  readonly fetched: Value;
  readonly returned: Value;
  readonly waits: Distribution;
  readonly newest: Readonly<Record<'success' | 'failure', () => Value>>;
}

/** Counts reads: the objects that lists look at and answer, and what they waited for. */
export function readMetrics(registry: MetricRegistry): RegistryObserver {
  const series = seriesOfResources(registry);
  const comparisons = registry.histogram({
    name: 'apiserver_request_timestamp_comparison_time',
    help: '[ALPHA] How long it takes to find out whether an update changes anything, in seconds.',
    labels: ['code_path'],
    buckets: [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 5],
  });
  const paths = new Map<ComparisonPath, Distribution>();
  return {
    listed(resource, counts) {
      const { total, fetched, returned } = series(resource);
      total.add();
      fetched.add(counts.looked);
      returned.add(counts.returned);
    },
    waited: (resource, ms) => series(resource).waits.observe(ms / 1000),
    readNewest: (resource, outcome) => series(resource).newest[outcome]().add(),
    compared(path, ms) {
      let known = paths.get(path);
      if (!known) paths.set(path, (known = comparisons.labels(path)));
      known.observe(ms / 1000);
    },
  };
}

function seriesOfResources(registry: MetricRegistry): (resource: ServedResource) => Series {
  const indexed = [...labels, 'index'];
  const counter = (name: string, help: string, names: readonly string[]): Counter =>
    registry.counter({ name: `apiserver_cache_list_${name}`, help: `[ALPHA] ${help}`, labels: names });
  const total = counter('total', 'Lists that the cache has answered.', indexed);
  const fetched = counter('fetched_objects_total', 'Objects that lists have looked at.', indexed);
  const returned = counter('returned_objects_total', 'Objects that lists have answered.', labels);
  const waits = registry.histogram({
    name: 'apiserver_watch_cache_read_wait_seconds',
    help: '[ALPHA] How long reads wait until the cache has seen what they are to answer, in seconds.',
    labels,
    buckets: [0.005, 0.025, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3],
  });
  const newest = registry.counter({
    name: 'apiserver_watch_cache_consistent_read_total',
    help: '[ALPHA] Lists of the newest state that the cache has answered, or could not.',
    labels: [...labels, 'success', 'fallback'],
  });
  const known = new WeakMap<ServedResource, Series>();
  return (served) => {
    let found = known.get(served);
    if (found) return found;
    const { group, resource } = served.stored;
    // Nothing else is asked when the cache cannot answer.
    const newestValue = (success: string) => () => newest.labels(group, resource, success, 'false');
    found = {
      total: total.labels(group, resource, ''),
      fetched: fetched.labels(group, resource, ''),
      returned: returned.labels(group, resource),
      waits: waits.labels(group, resource),
      newest: { success: newestValue('true'), failure: newestValue('false') },
    };
    known.set(served, found);
    return found;
  };
}
