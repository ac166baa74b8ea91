import type { Clock } from '../../base/clock.ts';
import type { Value } from '../../base/metrics/counter.ts';
import type { Distribution } from '../../base/metrics/histogram.ts';
import type { MetricRegistry } from '../../base/metrics/registry.ts';
import type {
  FlowObserver,
  FlowReading,
  LevelReading,
  SchemaObserver,
} from '../flow-control/observe-flow.ts';
import { flowUtilization } from './flow-utilization.ts';

const durations = [0, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30];
const lengths = [0, 10, 25, 50, 100, 250, 500, 1000];
const flowLabels = ['flow_schema', 'priority_level'];

/** What the limiter does, under upstream's names; limits are read from the levels when somebody asks. */
export function flowMetrics(registry: MetricRegistry, clock: Clock, read: () => FlowReading): FlowObserver {
  const gauge = (name: string, help: string): ((schema: string, level: string) => Value) => {
    const values = registry.gauge({ name: prefixed(name), help: `[BETA] ${help}`, labels: flowLabels });
    return (schema, level) => values.labels(schema, level);
  };
  const executingRequests = gauge('current_executing_requests', 'Requests that are being served.');
  const executingSeats = gauge('current_executing_seats', 'Seats of the requests that are being served.');
  const waitingRequests = gauge('current_inqueue_requests', 'Requests that wait.');
  const waitingSeats = gauge('current_inqueue_seats', 'Seats of the requests that wait.');
  const dispatched = registry.counter({
    name: prefixed('dispatched_requests_total'),
    help: '[BETA] Requests that were let in.',
    labels: flowLabels,
  });
  const rejected = registry.counter({
    name: prefixed('rejected_requests_total'),
    help: '[BETA] Requests that were refused, by reason.',
    labels: [...flowLabels, 'reason'],
  });
  const waits = registry.histogram({
    name: prefixed('request_wait_duration_seconds'),
    help: '[BETA] How long requests waited, in seconds.',
    labels: [...flowLabels, 'execute'],
    buckets: durations,
  });
  const executions = registry.histogram({
    name: prefixed('request_execution_seconds'),
    help: '[ALPHA] How long requests were served once they were let in, in seconds.',
    labels: [...flowLabels, 'type'],
    buckets: durations,
  });
  const queues = registry.histogram({
    name: prefixed('request_queue_length_after_enqueue'),
    help: '[ALPHA] Length of the queue that a request joined, itself included.',
    labels: flowLabels,
    buckets: lengths,
  });
  const work = registry.histogram({
    name: prefixed('work_estimated_seats'),
    help: '[ALPHA] The most seats that requests take.',
    labels: flowLabels,
    buckets: [1, 2, 4, 10],
  });
  const watchers = registry.histogram({
    name: prefixed('watch_count_samples'),
    help: '[ALPHA] Watchers that would hear of writes.',
    labels: flowLabels,
    buckets: [0, 1, 10, 100, 1000, 10_000],
  });
  readLevels(registry, read);
  registry.reading(
    'gauge',
    {
      name: prefixed('seat_fair_frac'),
      help: '[ALPHA] The fraction of their targets that levels got when seats were lent last.',
    },
    () => [[[], read().fairFraction]],
  );

  const execution = (schema: string, level: string): Record<'regular' | 'watch', Distribution> => ({
    regular: executions.labels(schema, level, 'regular'),
    watch: executions.labels(schema, level, 'watch'),
  });
  return {
    ...flowUtilization(registry, clock),
    schema(schema, level): SchemaObserver {
      const running = executingRequests(schema, level);
      const runningSeats = executingSeats(schema, level);
      const queued = waitingRequests(schema, level);
      const queuedSeats = waitingSeats(schema, level);
      const total = dispatched.labels(schema, level);
      const served = execution(schema, level);
      const waited = waits.labels(schema, level, 'true');
      const seatsOfWork = work.labels(schema, level);
      let watched: Distribution | undefined;
      const heard = (): Distribution => (watched ??= watchers.labels(schema, level));
      return {
        queued(seats, queueLength) {
          queued.add();
          queuedSeats.add(seats);
          queues.labels(schema, level).observe(queueLength);
        },
        left(seats) {
          queued.add(-1);
          queuedSeats.add(-seats);
        },
        started(seats, waitedMs) {
          total.add();
          running.add();
          runningSeats.add(seats);
          seatsOfWork.observe(seats);
          waited.observe(waitedMs / 1000);
        },
        ended(seats, { type, ms }) {
          running.add(-1);
          runningSeats.add(-seats);
          served[type].observe(ms / 1000);
        },
        watched: (count) => heard().observe(count),
        refused(reason, waitedMs) {
          rejected.labels(schema, level, reason).add();
          waits.labels(schema, level, 'false').observe(waitedMs / 1000);
        },
      };
    },
  };
}

function prefixed(name: string): string {
  return `apiserver_flowcontrol_${name}`;
}

function readLevels(registry: MetricRegistry, read: () => FlowReading): void {
  const reading = (name: string, help: string, value: (level: LevelReading) => number | undefined): void =>
    registry.reading(
      'gauge',
      { name: prefixed(name), help: `[ALPHA] ${help}`, labels: ['priority_level'] },
      () =>
        read().levels.flatMap((level) => {
          const found = value(level);
          return found === undefined ? [] : [[[level.name], found] as const];
        }),
    );
  reading('nominal_limit_seats', 'Seats by configuration.', ({ nominal }) => nominal);
  reading('lower_limit_seats', 'Seats that are not lent to other levels.', ({ lower }) => lower);
  reading('upper_limit_seats', 'Seats with all that may be borrowed.', ({ upper }) => upper);
  reading('current_limit_seats', 'Seats now, with what is borrowed and lent.', ({ current }) => current);
  reading('demand_seats_high_watermark', 'The most seats asked for lately.', ({ demand }) => demand);
  const lent = 'before seats were lent last';
  reading('demand_seats_average', `Seats asked for ${lent}.`, ({ adjusted }) => adjusted?.average);
  reading('demand_seats_stdev', `How much that varied ${lent}.`, ({ adjusted }) => adjusted?.deviation);
  reading(
    'demand_seats_smoothed',
    `Seats asked for, falling slowly, ${lent}.`,
    ({ adjusted }) => adjusted?.smoothed,
  );
  reading('target_seats', 'Seats wanted when seats were lent last.', ({ adjusted }) => adjusted?.target);
}
