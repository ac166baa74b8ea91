import { ageColumn, nameColumn } from '../columns.ts';
import type { Column } from '../resource.ts';
import type {
  HorizontalPodAutoscaler,
  MetricSpec,
  MetricStatus,
  MetricTarget,
  MetricValueStatus,
} from './v2.gen.ts';

const unknown = '<unknown>';

function valueOf(target: MetricTarget, current: MetricValueStatus | undefined): string {
  if (target.averageValue !== undefined) {
    return `${current?.averageValue ?? unknown}/${target.averageValue} (avg)`;
  }
  return `${current?.value ?? unknown}/${target.value ?? '<nil>'}`;
}

function utilizationOf(name: string, target: MetricTarget, current: MetricValueStatus | undefined): string {
  if (target.averageValue !== undefined) {
    return `${name}: ${current?.averageValue ?? unknown}/${target.averageValue}`;
  }
  const used = current?.averageUtilization;
  const wanted = target.averageUtilization;
  return `${name}: ${used === undefined ? unknown : `${used}%`}/${wanted === undefined ? '<auto>' : `${wanted}%`}`;
}

function printedMetric(metric: MetricSpec, status: MetricStatus | undefined): string {
  const { external, pods, object, resource, containerResource } = metric;
  if (metric.type === 'External' && external) return valueOf(external.target, status?.external?.current);
  if (metric.type === 'Object' && object) return valueOf(object.target, status?.object?.current);
  if (metric.type === 'Pods' && pods) {
    return `${status?.pods?.current.averageValue ?? unknown}/${pods.target.averageValue ?? ''}`;
  }
  if (metric.type === 'Resource' && resource) {
    return utilizationOf(resource.name, resource.target, status?.resource?.current);
  }
  if (metric.type === 'ContainerResource' && containerResource) {
    const current = status?.containerResource?.current;
    return utilizationOf(containerResource.name, containerResource.target, current);
  }
  return '<unknown type>';
}

const shown = 2;

function targets({ spec, status }: HorizontalPodAutoscaler): string {
  const metrics = spec.metrics ?? [];
  if (metrics.length === 0) return '<none>';
  const list = metrics.map((metric, index) => printedMetric(metric, status?.currentMetrics?.[index]));
  const first = list.slice(0, shown).join(', ');
  return list.length > shown ? `${first} + ${list.length - shown} more...` : first;
}

/** How `kubectl get` shows autoscalers. */
export const autoscalerColumns: readonly Column<HorizontalPodAutoscaler>[] = [
  nameColumn(),
  {
    name: 'Reference',
    type: 'string',
    cell: ({ spec: { scaleTargetRef } }) => `${scaleTargetRef.kind}/${scaleTargetRef.name}`,
  },
  { name: 'Targets', type: 'string', cell: targets },
  { name: 'MinPods', type: 'string', cell: ({ spec }) => String(spec.minReplicas ?? '<unset>') },
  { name: 'MaxPods', type: 'string', cell: ({ spec }) => spec.maxReplicas },
  { name: 'Replicas', type: 'string', cell: ({ status }) => status?.currentReplicas ?? 0 },
  ageColumn(),
];
