import type { Clock } from '../../base/clock.ts';
import { exponentialBuckets } from '../../base/metrics/histogram.ts';
import type { MetricRegistry } from '../../base/metrics/registry.ts';
import type { CelObserver } from '../../machinery/cel/cel-observer.ts';
import type { ExtensionsObserver } from '../extensions/extensions-observer.ts';

/** What changes with custom resource definitions, and how long updates are compared, under upstream's names. */
export function extensionMetrics(registry: MetricRegistry, clock: Clock): ExtensionsObserver {
  const comparisons = registry
    .histogram({
      name: 'apiextensions_apiserver_validation_ratcheting_seconds',
      help: '[ALPHA] How long it takes to find out what an update leaves as it was, in seconds.',
      buckets: exponentialBuckets(1e-5, 4, 10),
    })
    .labels();
  const v2 = registry.counter({
    name: 'apiextensions_openapi_v2_regeneration_count',
    help: '[ALPHA] How often a definition made the OpenAPI v2 document another one, by reason.',
    labels: ['crd', 'reason'],
  });
  const v3 = registry.counter({
    name: 'apiextensions_openapi_v3_regeneration_count',
    help: '[ALPHA] How often a definition made an OpenAPI v3 document another one, by reason.',
    labels: ['crd', 'group', 'reason', 'version'],
  });
  return {
    now: () => clock.monotonic(),
    compared: (ms) => comparisons.observe(ms / 1000),
    published({ definition, group, versions, reason }) {
      v2.labels(definition, reason).add();
      for (const version of versions) v3.labels(definition, group, reason, version).add();
    },
  };
}

/** How long expressions of the Common Expression Language take, under upstream's names. */
export function celMetrics(registry: MetricRegistry, clock: Clock): CelObserver {
  const times = (name: string, help: string): ((since: number) => void) => {
    const buckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
    const durations = registry.histogram({ name, help, buckets }).labels();
    return (since) => durations.observe((clock.monotonic() - since) / 1000);
  };
  return {
    now: () => clock.monotonic(),
    compiled: times(
      'apiserver_cel_compilation_duration_seconds',
      '[BETA] How long it takes to compile expressions, in seconds.',
    ),
    evaluated: times(
      'apiserver_cel_evaluation_duration_seconds',
      '[BETA] How long it takes to evaluate expressions, in seconds.',
    ),
  };
}
