import type { Clock } from '../../base/clock.ts';
import type { MetricRegistry } from '../../base/metrics/registry.ts';
import type { FilterTimer } from '../http/establish-request.ts';

/** How long the filters take that requests pass before they are served, under upstream's names. */
export function filterMetrics(registry: MetricRegistry, clock: Clock): FilterTimer {
  const durations = registry.histogram({
    name: 'apiserver_request_filter_duration_seconds',
    help: '[ALPHA] How long requests spend in a filter, in seconds.',
    labels: ['filter'],
    buckets: [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 5, 10, 15, 30],
  });
  const filters = {
    authentication: durations.labels('authentication'),
    audit: durations.labels('audit'),
    impersonation: durations.labels('impersonation'),
    priorityandfairness: durations.labels('priorityandfairness'),
    authorization: durations.labels('authorization'),
  };
  return {
    begin: () => clock.monotonic(),
    passed(filter, since) {
      const now = clock.monotonic();
      filters[filter].observe((now - since) / 1000);
      return now;
    },
  };
}
