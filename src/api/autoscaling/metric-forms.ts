import type { DeepMutable } from '../../machinery/object.ts';
import type * as v1 from './v1.gen.ts';
import type * as v2 from './v2.gen.ts';

/** The object without members that are undefined. */
function present<T extends object>(object: { [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

type Old = DeepMutable<v1.MetricSpec>;
type New = DeepMutable<v2.MetricSpec>;
type OldStatus = DeepMutable<v1.MetricStatus>;
type NewStatus = DeepMutable<v2.MetricStatus>;

function resourceTarget(source: DeepMutable<v1.ResourceMetricSource>): DeepMutable<v2.MetricTarget> {
  const { targetAverageUtilization: averageUtilization, targetAverageValue: averageValue } = source;
  const type = averageUtilization === undefined ? 'AverageValue' : 'Utilization';
  return present<DeepMutable<v2.MetricTarget>>({ type, averageValue, averageUtilization });
}

function identifier(source: {
  metricName: string;
  selector?: DeepMutable<v2.MetricIdentifier['selector']>;
}): DeepMutable<v2.MetricIdentifier> {
  return present<DeepMutable<v2.MetricIdentifier>>({ name: source.metricName, selector: source.selector });
}

/** The reference with its members in the order in which Go writes them. */
function orderedReference({
  kind,
  name,
  apiVersion,
}: DeepMutable<v2.CrossVersionObjectReference>): DeepMutable<v1.CrossVersionObjectReference> {
  return { kind, name, ...(apiVersion !== undefined && { apiVersion }) };
}

/** A metric as autoscaling/v1 kept it in an annotation, in the form of v2. */
export function metricToV2({ type, object, pods, resource, containerResource, external }: Old): New {
  return present<New>({
    type,
    object: object && {
      describedObject: object.target,
      metric: identifier(object),
      target: present<DeepMutable<v2.MetricTarget>>({
        type: object.averageValue === undefined ? 'Value' : 'AverageValue',
        value: object.averageValue === undefined ? object.targetValue : undefined,
        averageValue: object.averageValue,
        averageUtilization: undefined,
      }),
    },
    pods: pods && {
      metric: identifier(pods),
      target: { type: 'AverageValue', averageValue: pods.targetAverageValue },
    },
    resource: resource && { name: resource.name, target: resourceTarget(resource) },
    containerResource: containerResource && {
      name: containerResource.name,
      container: containerResource.container,
      target: resourceTarget(containerResource),
    },
    external: external && {
      metric: present<DeepMutable<v2.MetricIdentifier>>({
        name: external.metricName,
        selector: external.metricSelector,
      }),
      target: present<DeepMutable<v2.MetricTarget>>({
        type: external.targetValue === undefined ? 'AverageValue' : 'Value',
        value: external.targetValue,
        averageValue: external.targetAverageValue,
        averageUtilization: undefined,
      }),
    },
  });
}

function oldTarget(target: DeepMutable<v2.MetricTarget>): {
  targetAverageUtilization: number | undefined;
  targetAverageValue: string | undefined;
} {
  return {
    targetAverageUtilization: target.averageUtilization,
    targetAverageValue: target.averageValue,
  };
}

/** A metric in the form that autoscaling/v1 shows in an annotation. */
export function metricToV1({ type, object, pods, resource, containerResource, external }: New): Old {
  return present<Old>({
    type: type as Old['type'],
    object:
      object &&
      present<NonNullable<Old['object']>>({
        target: orderedReference(object.describedObject),
        metricName: object.metric.name,
        targetValue: object.target.value ?? '0',
        selector: object.metric.selector,
        averageValue: object.target.averageValue,
      }),
    pods:
      pods &&
      present<NonNullable<Old['pods']>>({
        metricName: pods.metric.name,
        targetAverageValue: pods.target.averageValue ?? '0',
        selector: pods.metric.selector,
      }),
    resource:
      resource &&
      present<NonNullable<Old['resource']>>({ name: resource.name, ...oldTarget(resource.target) }),
    containerResource:
      containerResource &&
      present<NonNullable<Old['containerResource']>>({
        name: containerResource.name,
        ...oldTarget(containerResource.target),
        container: containerResource.container,
      }),
    external:
      external &&
      present<NonNullable<Old['external']>>({
        metricName: external.metric.name,
        metricSelector: external.metric.selector,
        targetValue: external.target.value,
        targetAverageValue: external.target.averageValue,
      }),
  });
}

function currentResource(status: DeepMutable<v1.ResourceMetricStatus>): DeepMutable<v2.MetricValueStatus> {
  return present<DeepMutable<v2.MetricValueStatus>>({
    value: undefined,
    averageValue: status.currentAverageValue,
    averageUtilization: status.currentAverageUtilization,
  });
}

/** A current metric as autoscaling/v1 keeps it in an annotation, in the form of v2. */
export function metricStatusToV2(status: OldStatus): NewStatus {
  const { type, object, pods, resource, containerResource, external } = status;
  return present<NewStatus>({
    type,
    object: object && {
      describedObject: object.target,
      metric: identifier(object),
      current: present<DeepMutable<v2.MetricValueStatus>>({
        value: object.currentValue,
        averageValue: object.averageValue,
        averageUtilization: undefined,
      }),
    },
    pods: pods && { metric: identifier(pods), current: { averageValue: pods.currentAverageValue } },
    resource: resource && { name: resource.name, current: currentResource(resource) },
    containerResource: containerResource && {
      name: containerResource.name,
      container: containerResource.container,
      current: currentResource(containerResource),
    },
    external: external && {
      metric: present<DeepMutable<v2.MetricIdentifier>>({
        name: external.metricName,
        selector: external.metricSelector,
      }),
      current: present<DeepMutable<v2.MetricValueStatus>>({
        value: external.currentValue,
        averageValue: external.currentAverageValue,
        averageUtilization: undefined,
      }),
    },
  });
}

function oldCurrent(current: DeepMutable<v2.MetricValueStatus>): {
  currentAverageUtilization: number | undefined;
  currentAverageValue: string;
} {
  return {
    currentAverageUtilization: current.averageUtilization,
    currentAverageValue: current.averageValue ?? '0',
  };
}

/** A current metric in the form that autoscaling/v1 shows in an annotation. */
export function metricStatusToV1(status: NewStatus): OldStatus {
  const { type, object, pods, resource, containerResource, external } = status;
  return present<OldStatus>({
    type: type as OldStatus['type'],
    object:
      object &&
      present<NonNullable<OldStatus['object']>>({
        target: orderedReference(object.describedObject),
        metricName: object.metric.name,
        currentValue: object.current.value ?? '0',
        selector: object.metric.selector,
        averageValue: object.current.averageValue,
      }),
    pods:
      pods &&
      present<NonNullable<OldStatus['pods']>>({
        metricName: pods.metric.name,
        currentAverageValue: pods.current.averageValue ?? '0',
        selector: pods.metric.selector,
      }),
    resource:
      resource &&
      present<NonNullable<OldStatus['resource']>>({ name: resource.name, ...oldCurrent(resource.current) }),
    containerResource:
      containerResource &&
      present<NonNullable<OldStatus['containerResource']>>({
        name: containerResource.name,
        ...oldCurrent(containerResource.current),
        container: containerResource.container,
      }),
    external:
      external &&
      present<NonNullable<OldStatus['external']>>({
        metricName: external.metric.name,
        metricSelector: external.metric.selector,
        currentValue: external.current.value ?? '0',
        currentAverageValue: external.current.averageValue,
      }),
  });
}
