import type {
  MetricIdentifier,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from '../../api/autoscaling/v2.gen.ts';
import { formatQuantity, parseQuantity, quantityMilliValue } from '../../machinery/quantity.ts';
import { printGoSelector } from '../../machinery/selectors/print-go-selector.ts';
import { MetricError, type PodMetrics } from './pod-metrics.ts';
import {
  countByAverage,
  countByUtilization,
  countByValue,
  countPerReplica,
  type Count,
  type Target,
} from './replica-count.ts';

/** What the metrics APIs said about one metric of an autoscaler. */
export type Reading =
  | { readonly type: 'pods'; readonly samples: PodMetrics }
  | { readonly type: 'value'; readonly value: number }
  | { readonly type: 'problem'; readonly problem: string };

/** How many replicas one metric asks for; or why it asks for none. */
export type Proposal =
  | { readonly replicas: number; readonly metric: string; readonly status: MetricStatus }
  | { readonly reason: string; readonly problem: string; readonly error: string };

/** The target, with the replicas that there are beside those that are wanted. */
export interface ScaledTarget extends Target {
  readonly statusReplicas: number;
}

/** What one metric asks for. */
export function propose(spec: MetricSpec, reading: Reading, target: ScaledTarget): Proposal {
  const source = sourceOf(spec);
  if (!source) {
    const problem = `unknown metric source type ${JSON.stringify(spec.type)}`;
    return { reason: 'InvalidMetricSourceType', problem, error: problem };
  }
  try {
    const { count, metric, current } = source.count(reading, target);
    return { replicas: count.replicas, metric, status: source.status(current) };
  } catch (error) {
    if (!(error instanceof MetricError)) throw error;
    const { message } = error;
    return {
      reason: source.reason,
      problem: message,
      error: `failed to get ${source.name} metric value: ${source.detail ? `${source.detail}: ` : ''}${message}`,
    };
  }
}

interface Counted {
  readonly count: Count;
  readonly metric: string;
  readonly current: MetricValueStatus;
}

interface Source {
  /** The reason of conditions and events. */
  readonly reason: string;
  readonly name: string;
  /** What upstream puts between the metric's name and the problem, but not into the event. */
  readonly detail?: string;
  count(reading: Reading, target: ScaledTarget): Counted;
  status(current: MetricValueStatus): MetricStatus;
}

function sourceOf({
  type,
  resource,
  containerResource,
  pods,
  object,
  external,
}: MetricSpec): Source | undefined {
  if (type === 'Resource' && resource) {
    return {
      reason: 'FailedGetResourceMetric',
      name: `${resource.name} resource`,
      count: (reading, target) => countResource(resource, reading, target),
      status: (current) => ({ type, resource: { name: resource.name, current } }),
    };
  }
  if (type === 'ContainerResource' && containerResource) {
    const { name, container } = containerResource;
    return {
      reason: 'FailedGetContainerResourceMetric',
      name: `${container} container`,
      count: (reading, target) => countResource(containerResource, reading, target),
      status: (current) => ({ type, containerResource: { name, container, current } }),
    };
  }
  if (type === 'Pods' && pods) {
    return {
      reason: 'FailedGetPodsMetric',
      name: 'pods',
      count(reading, target) {
        const average = milli(pods.target.averageValue ?? '0');
        const count = countByAverage(target, samplesOf(reading), { average });
        const current = { averageValue: quantity(count.value) };
        return { count, metric: `pods metric ${pods.metric.name}`, current };
      },
      status: (current) => ({ type, pods: { metric: pods.metric, current } }),
    };
  }
  if (type === 'Object' && object) {
    const { metric, describedObject } = object;
    return {
      reason: 'FailedGetObjectMetric',
      name: 'object',
      ...(object.target.type === 'AverageValue' && { detail: `failed to get ${metric.name} object metric` }),
      count: (reading, target) =>
        countWhole(object, reading, { target, byValue: `${describedObject.kind} metric ${metric.name}` }),
      status: (current) => ({ type, object: { describedObject, metric, current } }),
    };
  }
  if (type === 'External' && external) {
    const { metric } = external;
    return {
      reason: 'FailedGetExternalMetric',
      name: `${metric.name} external`,
      detail:
        external.target.averageValue === undefined
          ? `failed to get external metric ${metric.name}`
          : `failed to get ${metric.name} external metric`,
      count: (reading, target) => countWhole(external, reading, { target }),
      status: (current) => ({ type, external: { metric, current } }),
    };
  }
  return undefined;
}

interface ResourceMetric {
  readonly name: string;
  readonly container?: string;
  readonly target: MetricTarget;
}

function countResource(metric: ResourceMetric, reading: Reading, target: ScaledTarget): Counted {
  const { name, container } = metric;
  const { averageValue, averageUtilization: percent } = metric.target;
  if (averageValue !== undefined) {
    return explain(`failed to get ${name} usage`, () => {
      const average = milli(averageValue);
      const count = countByAverage(target, samplesOf(reading), { resource: name, average });
      return { count, metric: `${name} resource`, current: { averageValue: quantity(count.value) } };
    });
  }
  if (percent === undefined) {
    throw new MetricError(
      'invalid resource metric source: neither an average utilization target nor an average value (usage) target was set',
    );
  }
  return explain(`failed to get ${name} utilization`, () => {
    const options = { resource: name, percent, ...(container !== undefined && { container }) };
    const count = countByUtilization(target, samplesOf(reading), options);
    const { utilization: averageUtilization = 0, value } = count;
    return {
      count,
      metric: `${name} ${container === undefined ? '' : 'container '}resource utilization (percentage of request)`,
      current: { averageUtilization, averageValue: quantity(value) },
    };
  });
}

/** For metrics that are not those of pods: either the value itself, or a share of it, has a target. */
function countWhole(
  { metric, target: wanted }: { readonly metric: MetricIdentifier; readonly target: MetricTarget },
  reading: Reading,
  { target, byValue }: { readonly target: ScaledTarget; readonly byValue?: string },
): Counted {
  if (reading.type === 'problem') throw new MetricError(reading.problem);
  const value = reading.type === 'value' ? reading.value : 0;
  const external = `external metric ${metric.name}(${printMetricSelector(metric)})`;
  if (wanted.averageValue !== undefined) {
    const existing = { ...target, replicas: target.statusReplicas };
    const count = countPerReplica(existing, value, milli(wanted.averageValue));
    return { count, metric: external, current: { averageValue: quantity(count.value) } };
  }
  const count = countByValue(target, value, milli(wanted.value ?? '0'));
  return { count, metric: byValue ?? external, current: { value: quantity(count.value) } };
}

function samplesOf(reading: Reading): PodMetrics {
  if (reading.type === 'problem') throw new MetricError(reading.problem);
  return reading.type === 'pods' ? reading.samples : new Map();
}

/** Adds what was being done to what went wrong. */
function explain<T>(what: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof MetricError)) throw error;
    throw new MetricError(`${what}: ${error.message}`);
  }
}

function milli(text: string): number {
  return Number(quantityMilliValue(parseQuantity(text)));
}

function quantity(milliValue: number): string {
  return formatQuantity({ nanos: BigInt(Math.trunc(milliValue)) * 1_000_000n, format: 'DecimalSI' });
}

/** A metric's selector in upstream's messages. */
export function printMetricSelector({ selector }: MetricIdentifier): string {
  return selector ? printGoSelector(selector) : 'nil';
}
