import type { Clock } from '../clock.ts';
import type { WorkQueueObserver } from '../queue.ts';
import { exponentialBuckets } from './histogram.ts';
import type { MetricRegistry } from './registry.ts';

const buckets = exponentialBuckets(1e-8, 10, 10);

/** The numbers of work queues by their names, as client-go's `workqueue_…`. */
export function queueMetrics(registry: MetricRegistry, clock: Clock): (name: string) => WorkQueueObserver {
  const labels = ['name'];
  const adds = registry.counter({
    name: 'workqueue_adds_total',
    help: '[ALPHA] Keys that became ready.',
    labels,
  });
  const depth = registry.gauge({ name: 'workqueue_depth', help: '[ALPHA] Keys that are ready.', labels });
  const retries = registry.counter({
    name: 'workqueue_retries_total',
    help: '[ALPHA] Keys that failed and are tried again.',
    labels,
  });
  const waits = registry.histogram({
    name: 'workqueue_queue_duration_seconds',
    help: '[ALPHA] How long keys are ready before they are processed, in seconds.',
    labels,
    buckets,
  });
  const works = registry.histogram({
    name: 'workqueue_work_duration_seconds',
    help: '[ALPHA] How long keys are processed, in seconds.',
    labels,
    buckets,
  });
  const running = new Map<string, Set<{ readonly at: number }>>();
  const ages = (of: (ages: readonly number[]) => number) =>
    function* read(): Iterable<readonly [readonly string[], number]> {
      const now = clock.monotonic();
      for (const [name, items] of running) yield [[name], of([...items].map(({ at }) => (now - at) / 1000))];
    };
  registry.reading(
    'gauge',
    {
      name: 'workqueue_unfinished_work_seconds',
      help: '[ALPHA] How long the keys now processed have been, together, in seconds.',
      labels,
    },
    ages((seconds) => seconds.reduce((sum, one) => sum + one, 0)),
  );
  registry.reading(
    'gauge',
    {
      name: 'workqueue_longest_running_processor_seconds',
      help: '[ALPHA] How long the key that is processed longest has been, in seconds.',
      labels,
    },
    ages((seconds) => Math.max(0, ...seconds)),
  );
  return (name) => {
    const items = running.get(name) ?? new Set<{ readonly at: number }>();
    running.set(name, items);
    const series = {
      adds: adds.labels(name),
      depth: depth.labels(name),
      retries: retries.labels(name),
      waits: waits.labels(name),
      works: works.labels(name),
    };
    return {
      added() {
        series.adds.add();
        series.depth.add();
      },
      started(waitedMs) {
        series.depth.add(-1);
        series.waits.observe(waitedMs / 1000);
        const item = { at: clock.monotonic() };
        items.add(item);
        return () => {
          items.delete(item);
          series.works.observe((clock.monotonic() - item.at) / 1000);
        };
      },
      retried: () => series.retries.add(),
      dropped: (count) => series.depth.add(-count),
    };
  };
}
