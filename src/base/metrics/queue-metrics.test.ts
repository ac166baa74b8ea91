import { expect, it } from 'vitest';
import { FakeClock } from '../fake-clock.ts';
import { WorkQueue } from '../queue.ts';
import { queueMetrics } from './queue-metrics.ts';
import { MetricRegistry } from './registry.ts';

it('tells how a queue fares', async () => {
  const clock = new FakeClock();
  const registry = new MetricRegistry();
  let finish: (() => void) | undefined;
  const queue = new WorkQueue<string>({
    clock,
    observer: queueMetrics(registry, clock)('pods'),
    process: () => new Promise((resolve) => (finish = () => resolve(undefined))),
  });
  queue.add('a');
  queue.add('a');
  queue.add('b');
  await Promise.resolve();
  const told = (name: string): string | undefined =>
    new RegExp(`^${name}\\{name="pods"\\} (.*)$`, 'm').exec(registry.text())?.[1];
  expect(told('workqueue_adds_total')).toBe('2');
  expect(told('workqueue_depth')).toBe('1');
  await clock.advance(3000);
  expect(told('workqueue_unfinished_work_seconds')).toBe('3');
  finish?.();
  await Promise.resolve();
  await Promise.resolve();
  await Promise.resolve();
  expect(told('workqueue_work_duration_seconds_sum')).toBe('3');
  const stopped = queue.stop();
  finish?.();
  await stopped;
  expect(told('workqueue_depth')).toBe('0');
});
