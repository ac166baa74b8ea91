import type { DeepMutable, KubeObject } from '../../machinery/object.ts';
import { isObject } from '../../machinery/patch/json-value.ts';
import { behaviorOf, printBehavior } from './behavior-annotation.ts';
import { defaultAutoscaler } from './hpa-defaults.ts';
import { metricStatusToV1, metricStatusToV2, metricToV1, metricToV2 } from './metric-forms.ts';
import type * as v1 from './v1.gen.ts';
import type * as v2 from './v2.gen.ts';

type Old = DeepMutable<v1.HorizontalPodAutoscaler>;
type New = DeepMutable<v2.HorizontalPodAutoscaler>;

const prefix = 'autoscaling.alpha.kubernetes.io/';
const kept = ['metrics', 'current-metrics', 'conditions', 'behavior'] as const;

type Kept = (typeof kept)[number];

/** The annotations of that use, read; what is not the expected JSON is as if it were not there. */
function readKept(autoscaler: Old): Partial<Record<Kept, unknown>> {
  const { annotations } = autoscaler.metadata;
  const entries = kept.flatMap((name): [Kept, unknown][] => {
    const text = annotations?.[prefix + name];
    if (text === undefined) return [];
    try {
      return [[name, JSON.parse(text) as unknown]];
    } catch (error) {
      if (error instanceof SyntaxError) return [];
      throw error;
    }
  });
  return Object.fromEntries(entries);
}

function dropKept({ metadata }: DeepMutable<KubeObject>): void {
  const { annotations } = metadata;
  if (!annotations) return;
  for (const name of kept) delete annotations[prefix + name];
  if (Object.keys(annotations).length === 0) delete metadata.annotations;
}

function objects<T>(value: unknown): T[] {
  return Array.isArray(value) ? (value.filter(isObject) as T[]) : [];
}

function cpuMetric(averageUtilization: number): DeepMutable<v2.MetricSpec> {
  return {
    type: 'Resource',
    resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization } },
  };
}

/** Turns autoscaling/v1 into the stored v2, annotations included, which vanish. */
export function autoscalerToV2(old: Old): New {
  const { spec, status } = old;
  const read = readKept(old);
  const { targetCPUUtilizationPercentage: cpu } = spec;
  const metrics = objects<DeepMutable<v1.MetricSpec>>(read.metrics).map(metricToV2);
  const current = read['current-metrics'];
  const currentCpu = status?.currentCPUUtilizationPercentage;
  const statuses =
    current === undefined && currentCpu !== undefined
      ? [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: currentCpu } } }]
      : objects<DeepMutable<v1.MetricStatus>>(current).map(metricStatusToV2);
  const conditions = objects<DeepMutable<v2.HorizontalPodAutoscalerCondition>>(read.conditions);
  dropKept(old);
  const next: New = {
    ...old,
    apiVersion: 'autoscaling/v2',
    spec: {
      scaleTargetRef: spec.scaleTargetRef,
      ...(spec.minReplicas !== undefined && { minReplicas: spec.minReplicas }),
      maxReplicas: spec.maxReplicas,
      metrics: [...metrics, ...(cpu === undefined ? [] : [cpuMetric(cpu)])],
      ...(isObject(read.behavior) && { behavior: behaviorOf(read.behavior) }),
    },
    status: {
      ...(status?.observedGeneration !== undefined && { observedGeneration: status.observedGeneration }),
      ...(status?.lastScaleTime !== undefined && { lastScaleTime: status.lastScaleTime }),
      ...(status?.currentReplicas && { currentReplicas: status.currentReplicas }),
      desiredReplicas: status?.desiredReplicas ?? 0,
      ...(statuses.length > 0 && { currentMetrics: statuses }),
      ...(conditions.length > 0 && { conditions }),
    } as NonNullable<New['status']>,
  };
  defaultAutoscaler(next);
  return next;
}

function isCpuUtilization({ type, resource }: DeepMutable<v2.MetricSpec>): boolean {
  return type === 'Resource' && resource?.name === 'cpu' && resource.target.averageUtilization !== undefined;
}

function keptOf({ spec, status }: New): Record<string, string> {
  const others = (spec.metrics ?? []).filter((metric) => !isCpuUtilization(metric));
  const current = status?.currentMetrics ?? [];
  const texts: Partial<Record<Kept, string>> = {
    ...(others.length > 0 && { metrics: JSON.stringify(others.map(metricToV1)) }),
    ...(current.length > 0 && { 'current-metrics': JSON.stringify(current.map(metricStatusToV1)) }),
    ...(status?.conditions?.length && {
      conditions: JSON.stringify(status.conditions.map(orderedCondition)),
    }),
    ...(spec.behavior && { behavior: printBehavior(spec.behavior) }),
  };
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [prefix + name, text]));
}

function orderedCondition(
  condition: DeepMutable<v2.HorizontalPodAutoscalerCondition>,
): v1.HorizontalPodAutoscalerCondition {
  const { type, status, lastTransitionTime, reason, message } = condition;
  return {
    type,
    status,
    ...(lastTransitionTime !== undefined && { lastTransitionTime }),
    ...(reason && { reason }),
    ...(message && { message }),
  };
}

/** Turns the stored v2 into autoscaling/v1: what v1 has no fields for stands in annotations. */
export function autoscalerToV1(next: New): Old {
  const { spec, status } = next;
  const cpu = spec.metrics?.find(isCpuUtilization)?.resource?.target.averageUtilization;
  const currentCpu = status?.currentMetrics?.findLast(
    ({ type, resource }) => type === 'Resource' && resource?.name === 'cpu',
  )?.resource?.current.averageUtilization;
  dropKept(next);
  const annotations = { ...next.metadata.annotations, ...keptOf(next) };
  return {
    ...next,
    apiVersion: 'autoscaling/v1',
    metadata: { ...next.metadata, ...(Object.keys(annotations).length > 0 && { annotations }) },
    spec: {
      scaleTargetRef: spec.scaleTargetRef,
      ...(spec.minReplicas !== undefined && { minReplicas: spec.minReplicas }),
      maxReplicas: spec.maxReplicas,
      ...(cpu !== undefined && { targetCPUUtilizationPercentage: cpu }),
    },
    status: {
      ...(status?.observedGeneration !== undefined && { observedGeneration: status.observedGeneration }),
      ...(status?.lastScaleTime !== undefined && { lastScaleTime: status.lastScaleTime }),
      currentReplicas: status?.currentReplicas ?? 0,
      desiredReplicas: status?.desiredReplicas ?? 0,
      ...(currentCpu !== undefined && { currentCPUUtilizationPercentage: currentCpu }),
    },
  };
}
