import type { Pod } from '../../api/core/v1.gen.ts';
import { isPodReady } from '../pods/pod-state.ts';
import { groupPods, MetricError, podRequests, type PodMetrics } from './pod-metrics.ts';

/** How far usage may be from its target before the number of replicas changes. */
export interface Tolerances {
  readonly up: number;
  readonly down: number;
}

/** The pods of a target and how many it is to have. */
export interface Target {
  readonly replicas: number;
  readonly pods: readonly Pod[];
  readonly tolerances: Tolerances;
  readonly now: number;
}

/** How many replicas a metric asks for, and what it is now. */
export interface Count {
  readonly replicas: number;
  /** Thousandths of the unit: of the average pod for what pods are measured by, else of the whole. */
  readonly value: number;
  /** Percent of what the pods request. */
  readonly utilization?: number;
}

const mostReplicas = 2 ** 31 - 1;

function isWithin({ up, down }: Tolerances, ratio: number): boolean {
  return 1 - down <= ratio && ratio <= 1 + up;
}

function roundUp(replicas: number): number {
  return Math.min(mostReplicas, Math.ceil(replicas));
}

/** For a target of so many percent of the requests. Throws {@link MetricError}. */
export function countByUtilization(
  target: Target,
  metrics: PodMetrics,
  options: { readonly resource: string; readonly container?: string; readonly percent: number },
): Count {
  const { resource, container, percent } = options;
  let requests: ReadonlyMap<string, number> | undefined;
  const usage = (samples: ReadonlyMap<string, number>): Usage => {
    requests ??= podRequests(target.pods, resource, container);
    return utilizationOf(samples, requests, percent);
  };
  return countByPods(target, metrics, {
    resource,
    usage,
    // A pod without a metric is taken to use all that it may, when that keeps others from going.
    fallback: (pod) => Math.trunc(((requests?.get(pod) ?? 0) * Math.max(100, percent)) / 100),
  });
}

/** For a target of so many thousandths of the unit in the average pod. Throws {@link MetricError}. */
export function countByAverage(
  target: Target,
  metrics: PodMetrics,
  options: { readonly resource?: string; readonly average: number },
): Count {
  const { resource, average } = options;
  return countByPods(target, metrics, {
    resource,
    usage(samples) {
      const value = Math.trunc(sum(samples.values()) / samples.size);
      return { ratio: value / average, value };
    },
    fallback: () => average,
  });
}

interface Usage {
  readonly ratio: number;
  readonly value: number;
  readonly utilization?: number;
}

function utilizationOf(
  samples: ReadonlyMap<string, number>,
  requests: ReadonlyMap<string, number>,
  percent: number,
): Usage {
  let used = 0;
  let requested = 0;
  let known = 0;
  for (const [pod, value] of samples) {
    const request = requests.get(pod);
    if (request === undefined) continue;
    used += value;
    requested += request;
    known += 1;
  }
  // If the set of requests is for another selector of pods, the sum is zero.
  if (requested === 0) throw new MetricError('no metrics returned matched known pods');
  const utilization = Math.trunc((used * 100) / requested);
  return { ratio: utilization / percent, value: Math.trunc(used / known), utilization };
}

interface PodCounting {
  readonly resource: string | undefined;
  usage(samples: ReadonlyMap<string, number>): Usage;
  /** What a pod without a metric is taken to use when others use less than they should. */
  fallback(pod: string): number;
}

/**
 * Upstream's algorithm: what is not known is assumed to be such that fewer pods are added or removed, and never such
 * that the direction changes.
 */
function countByPods(target: Target, metrics: PodMetrics, counting: PodCounting): Count {
  const { pods, replicas, tolerances, now } = target;
  if (pods.length === 0)
    throw new MetricError('no pods returned by selector while calculating replica count');
  const { ready, unready, missing, ignored } = groupPods(pods, metrics, counting.resource, now);
  const samples = new Map<string, number>();
  for (const [pod, { value }] of metrics) if (!ignored.has(pod) && !unready.has(pod)) samples.set(pod, value);
  if (samples.size === 0) {
    throw new MetricError('did not receive metrics for targeted pods (pods might be unready)');
  }
  const { ratio, ...measured } = counting.usage(samples);
  const upWithUnready = unready.size > 0 && ratio > 1;
  if (!upWithUnready && missing.size === 0) {
    return { replicas: isWithin(tolerances, ratio) ? replicas : roundUp(ratio * ready), ...measured };
  }
  if (ratio !== 1) for (const pod of missing) samples.set(pod, ratio < 1 ? counting.fallback(pod) : 0);
  if (upWithUnready) for (const pod of unready) samples.set(pod, 0);
  const { ratio: careful } = counting.usage(samples);
  const turned = (ratio < 1 && careful > 1) || (ratio > 1 && careful < 1);
  if (turned || isWithin(tolerances, careful)) return { replicas, ...measured };
  const next = roundUp(careful * samples.size);
  const against = (careful < 1 && next > replicas) || (careful > 1 && next < replicas);
  return { replicas: against ? replicas : next, ...measured };
}

/** For one value of the whole that is to be so much. Throws {@link MetricError}. */
export function countByValue(target: Target, value: number, wanted: number): Count {
  const { replicas, pods, tolerances } = target;
  const ratio = value / wanted;
  if (replicas === 0) return { replicas: roundUp(ratio), value };
  if (isWithin(tolerances, ratio)) return { replicas, value };
  if (pods.length === 0) {
    throw new MetricError(
      'unable to calculate ready pods: no pods returned by selector while calculating replica count',
    );
  }
  const ready = pods.filter((pod) => pod.status?.phase === 'Running' && isPodReady(pod)).length;
  return { replicas: roundUp(ratio * ready), value };
}

/** For a value of the whole, of which each replica is to have so much. `replicas` are those that there are. */
export function countPerReplica(
  { replicas, tolerances }: Pick<Target, 'replicas' | 'tolerances'>,
  value: number,
  wanted: number,
): Count {
  const within = isWithin(tolerances, value / (wanted * replicas));
  return {
    replicas: within ? replicas : roundUp(value / wanted),
    value: replicas === 0 ? 0 : Math.ceil(value / replicas),
  };
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
