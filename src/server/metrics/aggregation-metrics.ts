import { apiservices, type APIService } from '../../api/apiregistration/v1.gen.ts';
import type { MetricRegistry } from '../../base/metrics/registry.ts';
import type { Lookup } from '../admission/lookup.ts';
import { isAvailable } from '../aggregation/availability.ts';

/** Hears of the servers that APIServices add. Must not throw. */
export interface AggregationObserver {
  /** A server no longer answers. */
  unavailable(apiService: string, reason: string): void;
  /** The discovery documents of all servers were put together. */
  discovered(): void;
}

/** Which APIServices cannot be used, and how often documents are put together. */
export function aggregationMetrics(registry: MetricRegistry, lookup: Lookup): AggregationObserver {
  registry.reading(
    'gauge',
    {
      name: 'aggregator_unavailable_apiservice',
      help: '[ALPHA] APIServices: 1 for those that cannot be used.',
      labels: ['name'],
    },
    () =>
      [...lookup.list<APIService>(apiservices)].map((service) => [
        [service.metadata.name],
        isAvailable(service) ? 0 : 1,
      ]),
  );
  const unavailable = registry.counter({
    name: 'aggregator_unavailable_apiservice_total',
    help: '[ALPHA] How often APIServices became unavailable, by reason.',
    labels: ['name', 'reason'],
  });
  const aggregations = registry
    .counter({
      name: 'aggregator_discovery_aggregation_count_total',
      help: '[ALPHA] How often discovery documents of several servers were put together.',
    })
    .labels();
  return {
    unavailable: (name, reason) => unavailable.labels(name, reason).add(),
    discovered: () => aggregations.add(),
  };
}
