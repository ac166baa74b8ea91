import type { FieldSchema, FieldType } from '../../machinery/schema/schema.ts';
import type { Difference } from './legacy-packages.ts';

const string: FieldType = { type: 'string' };
const quantity: FieldType = { type: 'quantity' };
const percent: FieldType = { type: 'int32' };
const selector: FieldType = {
  type: 'message',
  message: 'io.k8s.apimachinery.pkg.apis.meta.v1.LabelSelector',
};
const target: FieldType = {
  type: 'message',
  message: 'io.k8s.api.autoscaling.v2beta1.CrossVersionObjectReference',
};

function always(name: string, number: number, of: FieldType): FieldSchema {
  return { name, number, of, pointer: false, omitempty: false, required: true };
}

function maybe(name: string, number: number, of: FieldType): FieldSchema {
  return { name, number, of, pointer: true, omitempty: true, required: false };
}

function resource(values: readonly FieldSchema[], container?: number): Difference {
  const place = container === undefined ? [] : [always('container', container, string)];
  return { fields: [always('name', 1, string), ...values, ...place] };
}

const wanted = [maybe('targetAverageUtilization', 2, percent), maybe('targetAverageValue', 3, quantity)];
const current = [maybe('currentAverageUtilization', 2, percent), always('currentAverageValue', 3, quantity)];

/** The sources of metrics as autoscaling/v2beta1 had them: one flat message for each. */
export const legacyMetrics: Readonly<Record<string, Difference>> = {
  ObjectMetricSource: {
    fields: [
      always('target', 1, target),
      always('metricName', 2, string),
      always('targetValue', 3, quantity),
      maybe('selector', 4, selector),
      maybe('averageValue', 5, quantity),
    ],
  },
  PodsMetricSource: {
    fields: [
      always('metricName', 1, string),
      always('targetAverageValue', 2, quantity),
      maybe('selector', 3, selector),
    ],
  },
  ResourceMetricSource: resource(wanted),
  ContainerResourceMetricSource: resource(wanted, 5),
  ExternalMetricSource: {
    fields: [
      always('metricName', 1, string),
      maybe('metricSelector', 2, selector),
      maybe('targetValue', 3, quantity),
      maybe('targetAverageValue', 4, quantity),
    ],
  },
  ObjectMetricStatus: {
    fields: [
      always('target', 1, target),
      always('metricName', 2, string),
      always('currentValue', 3, quantity),
      maybe('selector', 4, selector),
      maybe('averageValue', 5, quantity),
    ],
  },
  PodsMetricStatus: {
    fields: [
      always('metricName', 1, string),
      always('currentAverageValue', 2, quantity),
      maybe('selector', 3, selector),
    ],
  },
  ResourceMetricStatus: resource(current),
  ContainerResourceMetricStatus: resource(current, 4),
  ExternalMetricStatus: {
    fields: [
      always('metricName', 1, string),
      maybe('metricSelector', 2, selector),
      always('currentValue', 3, quantity),
      maybe('currentAverageValue', 4, quantity),
    ],
  },
};
