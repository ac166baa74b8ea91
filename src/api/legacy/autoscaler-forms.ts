import type { DeepMutable } from '../../machinery/object.ts';
import { isObject } from '../../machinery/patch/json-value.ts';
import { behaviorOf, printBehavior } from '../autoscaling/behavior-annotation.ts';
import { metricStatusToV1, metricStatusToV2, metricToV1, metricToV2 } from '../autoscaling/metric-forms.ts';
import type * as v1 from '../autoscaling/v1.gen.ts';
import type { HorizontalPodAutoscaler } from '../autoscaling/v2.gen.ts';
import type { Form, LegacyForm } from './legacy-version.ts';

const behaviorKey = 'autoscaling.alpha.kubernetes.io/behavior';

type Stored = DeepMutable<HorizontalPodAutoscaler>;

interface OldFields {
  spec?: { metrics?: DeepMutable<v1.MetricSpec>[]; behavior?: unknown };
  status?: { currentMetrics?: DeepMutable<v1.MetricStatus>[] };
}

function takeBehavior({ metadata }: Form): unknown {
  const { [behaviorKey]: text, ...others } = metadata.annotations ?? {};
  if (text === undefined) return undefined;
  if (Object.keys(others).length > 0) metadata.annotations = others;
  else delete metadata.annotations;
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function toStored(object: Form): void {
  const { spec, status } = object as Form & OldFields;
  const behavior = takeBehavior(object);
  object.spec = {
    ...spec,
    ...(spec?.metrics && { metrics: spec.metrics.map(metricToV2) }),
    ...(isObject(behavior) && { behavior: behaviorOf(behavior) }),
  };
  if (status?.currentMetrics) {
    object.status = { ...status, currentMetrics: status.currentMetrics.map(metricStatusToV2) };
  }
}

function fromStored(object: Form): void {
  const { spec, status, metadata } = object as Stored;
  const { behavior, ...others } = spec;
  object.spec = { ...others, ...(spec.metrics && { metrics: spec.metrics.map(metricToV1) }) };
  if (status?.currentMetrics) {
    object.status = { ...status, currentMetrics: status.currentMetrics.map(metricStatusToV1) };
  }
  if (behavior) {
    object.metadata.annotations = { ...metadata.annotations, [behaviorKey]: printBehavior(behavior) };
  }
}

export const autoscalerForms: readonly LegacyForm[] = [
  {
    group: 'autoscaling',
    version: 'v2beta2',
    from: 'io.k8s.api.autoscaling.v2beta2',
    deprecated: 23,
    removed: 26,
  },
  {
    group: 'autoscaling',
    version: 'v2beta1',
    from: 'io.k8s.api.autoscaling.v2beta1',
    deprecated: 22,
    removed: 25,
    toStored,
    fromStored,
  },
];
