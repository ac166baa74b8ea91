import type { MetricRegistry } from '../../base/metrics/registry.ts';

/** Counts the metrics of a registry by the stability that their help begins with. */
export function registryMetrics(registry: MetricRegistry): void {
  registry.reading(
    'counter',
    {
      name: 'registered_metrics_total',
      help: '[BETA] Metrics that there may be values of, by stability.',
      labels: ['stability_level', 'deprecated_version'],
    },
    () => {
      const counts = new Map<string, number>();
      for (const { help } of registry.families) {
        const level = /^\[([A-Z]+)\]/.exec(help)?.[1] ?? '';
        counts.set(level, (counts.get(level) ?? 0) + 1);
      }
      return [...counts].map(([level, count]) => [[level, ''], count]);
    },
  );
}
