import { exponentialBuckets, type Distribution } from '../../base/metrics/histogram.ts';
import type { MetricRegistry } from '../../base/metrics/registry.ts';
import type { Value } from '../../base/metrics/counter.ts';
import type { StatusCode } from '../status.ts';

/** How an attempt to schedule a pod ended. */
export type AttemptResult = 'scheduled' | 'unschedulable' | 'error';

/** Where in the queue a pod is. */
export type QueueName = 'active' | 'backoff' | 'unschedulable' | 'gated';

/** How an extension point answered: the code of the first plug-in that was not content. */
export type PointStatus = 'Success' | StatusCode;

/** What is read from the scheduler when somebody asks for its metrics. */
export interface SchedulerReadings {
  /** Pods that wait, by queue. */
  pending(): Readonly<Record<QueueName, number>>;
  /** Pods that fit nowhere, by plug-in and profile. */
  unschedulable(): Iterable<readonly [plugin: string, profile: string, pods: number]>;
  /** Sizes of the cache. */
  cached(): { readonly nodes: number; readonly pods: number; readonly assumedPods: number };
  /** Bindings that run now. */
  bindings(): number;
}

/** What the scheduler tells of its work. Durations are in milliseconds. */
export interface SchedulerMetrics {
  /** An attempt has ended; a scheduled one with its binding. */
  attempted(result: AttemptResult, profile: string, ms: number): void;
  /** A node was looked for, whether found or not. */
  searched(ms: number): void;
  /** A pod was bound at its nth attempt, this long after it had entered the queue. */
  bound(attempts: number, ms: number): void;
  preempted(victims: number): void;
  /** All plug-ins of an extension point were asked. */
  asked(
    point: string,
    answer: { readonly profile: string; readonly status: PointStatus; readonly ms: number },
  ): void;
  /** A pod has waited for Permit. */
  permitted(result: string, ms: number): void;
  /** A pod has entered a queue because of an event. */
  queued(queue: QueueName, event: string): void;
  /** Tells what to read the rest from. */
  read(readings: SchedulerReadings): void;
}

/** The scheduler's metrics by upstream's names, kinds and buckets (pkg/scheduler/metrics). */
export function schedulerMetrics(registry: MetricRegistry): SchedulerMetrics {
  const attempts = registry.counter({
    name: 'scheduler_schedule_attempts_total',
    help: '[STABLE] Attempts to schedule a pod, by how they ended.',
    labels: ['result', 'profile'],
  });
  const attemptSeconds = registry.histogram({
    name: 'scheduler_scheduling_attempt_duration_seconds',
    help: '[STABLE] How long attempts take with their binding, in seconds.',
    labels: ['result', 'profile'],
    buckets: exponentialBuckets(0.001, 2, 15),
  });
  const algorithmSeconds = registry.histogram({
    name: 'scheduler_scheduling_algorithm_duration_seconds',
    help: '[ALPHA] How long a node is looked for, in seconds.',
    buckets: exponentialBuckets(0.001, 2, 15),
  });
  const sliSeconds = registry.histogram({
    name: 'scheduler_pod_scheduling_sli_duration_seconds',
    help: '[BETA] From the time a pod enters the queue until it is bound, in seconds.',
    labels: ['attempts'],
    buckets: exponentialBuckets(0.01, 2, 20),
  });
  const podAttempts = registry.histogram({
    name: 'scheduler_pod_scheduling_attempts',
    help: '[STABLE] Attempts that a pod takes until it is bound.',
    buckets: exponentialBuckets(1, 2, 5),
  });
  const pointSeconds = registry.histogram({
    name: 'scheduler_framework_extension_point_duration_seconds',
    help: '[STABLE] How long all plug-ins of an extension point take, in seconds.',
    labels: ['extension_point', 'status', 'profile'],
    buckets: exponentialBuckets(0.0001, 2, 12),
  });
  const permitSeconds = registry.histogram({
    name: 'scheduler_permit_wait_duration_seconds',
    help: '[ALPHA] How long pods wait for Permit, in seconds.',
    labels: ['result'],
    buckets: exponentialBuckets(0.001, 2, 15),
  });
  const victims = registry.histogram({
    name: 'scheduler_preemption_victims',
    help: '[STABLE] Pods chosen to be preempted, each time.',
    buckets: exponentialBuckets(1, 2, 7),
  });
  const preemptions = registry.counter({
    name: 'scheduler_preemption_attempts_total',
    help: '[STABLE] How often pods were chosen to be preempted.',
  });
  const incoming = registry.counter({
    name: 'scheduler_queue_incoming_pods_total',
    help: '[STABLE] Pods that entered a queue, by the event that put them there.',
    labels: ['queue', 'event'],
  });
  const points = remembered((point, status, profile) => pointSeconds.labels(point, status, profile));
  const entries = remembered((queue, event) => incoming.labels(queue, event));
  return {
    attempted(result, profile, ms) {
      attempts.labels(result, profile).add();
      attemptSeconds.labels(result, profile).observe(ms / 1000);
    },
    searched: (ms) => algorithmSeconds.labels().observe(ms / 1000),
    bound(count, ms) {
      sliSeconds.labels(count >= 15 ? '15+' : String(count)).observe(ms / 1000);
      podAttempts.labels().observe(count);
    },
    preempted(count) {
      preemptions.labels().add();
      victims.labels().observe(count);
    },
    asked: (point, { status, profile, ms }) => points(point, status, profile).observe(ms / 1000),
    permitted: (result, ms) => permitSeconds.labels(result).observe(ms / 1000),
    queued: (queue, event) => entries(queue, event, '').add(),
    read: (readings) => registerReadings(registry, readings),
  };
}

function registerReadings(registry: MetricRegistry, readings: SchedulerReadings): void {
  registry.reading(
    'gauge',
    { name: 'scheduler_pending_pods', help: '[STABLE] Pods that wait, by queue.', labels: ['queue'] },
    () => Object.entries(readings.pending()).map(([queue, pods]) => [[queue], pods] as const),
  );
  registry.reading(
    'gauge',
    {
      name: 'scheduler_unschedulable_pods',
      help: '[ALPHA] Pods that fit nowhere, by each plug-in that says so.',
      labels: ['plugin', 'profile'],
    },
    () => [...readings.unschedulable()].map(([plugin, profile, pods]) => [[plugin, profile], pods] as const),
  );
  registry.reading(
    'gauge',
    { name: 'scheduler_cache_size', help: '[ALPHA] Objects in the cache, by type.', labels: ['type'] },
    () => {
      const { nodes, pods, assumedPods } = readings.cached();
      return [
        [['nodes'], nodes],
        [['pods'], pods],
        [['assumed_pods'], assumedPods],
      ];
    },
  );
  registry.reading(
    'gauge',
    { name: 'scheduler_goroutines', help: '[ALPHA] Bindings that run now.', labels: ['operation'] },
    () => [[['binding'], readings.bindings()]],
  );
}

/** Looks series up by up to three labels without joining them into a key each time. */
function remembered<T extends Value | Distribution>(
  find: (first: string, second: string, third: string) => T,
): (first: string, second: string, third: string) => T {
  const known = new Map<string, Map<string, Map<string, T>>>();
  return (first, second, third) => {
    let seconds = known.get(first);
    if (!seconds) known.set(first, (seconds = new Map()));
    let thirds = seconds.get(second);
    if (!thirds) seconds.set(second, (thirds = new Map()));
    let found = thirds.get(third);
    if (!found) thirds.set(third, (found = find(first, second, third)));
    return found;
  };
}
