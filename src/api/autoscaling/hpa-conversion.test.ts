import { expect, it } from 'vitest';
import { mutableCopy } from '../../machinery/mutable-copy.ts';
import { autoscalerToV1, autoscalerToV2 } from './hpa-conversion.ts';
import type { HorizontalPodAutoscaler } from './v2.gen.ts';

const prefix = 'autoscaling.alpha.kubernetes.io/';

const whole = {
  apiVersion: 'autoscaling/v2',
  kind: 'HorizontalPodAutoscaler',
  metadata: { name: 'web', namespace: 'default', annotations: { mine: 'kept' } },
  spec: {
    scaleTargetRef: { kind: 'Deployment', name: 'web', apiVersion: 'apps/v1' },
    minReplicas: 2,
    maxReplicas: 5,
    metrics: [
      {
        type: 'Resource',
        resource: { name: 'memory', target: { type: 'AverageValue', averageValue: '1Gi' } },
      },
      {
        type: 'Pods',
        pods: {
          metric: { name: 'rps', selector: { matchLabels: { a: 'b' } } },
          target: { type: 'AverageValue', averageValue: '10' },
        },
      },
      {
        type: 'Object',
        object: {
          describedObject: { kind: 'Service', name: 's', apiVersion: 'v1' },
          metric: { name: 'hits' },
          target: { type: 'Value', value: '3' },
        },
      },
      {
        type: 'External',
        external: { metric: { name: 'q' }, target: { type: 'AverageValue', averageValue: '7' } },
      },
      {
        type: 'ContainerResource',
        containerResource: {
          name: 'cpu',
          container: 'c',
          target: { type: 'Utilization', averageUtilization: 5 },
        },
      },
      {
        type: 'Resource',
        resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 60 } },
      },
    ],
    behavior: {
      scaleUp: {
        stabilizationWindowSeconds: 0,
        selectPolicy: 'Max',
        policies: [{ type: 'Pods', value: 4, periodSeconds: 15 }],
      },
      scaleDown: {
        selectPolicy: 'Disabled',
        policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
        tolerance: '200m',
      },
    },
  },
  status: {
    currentReplicas: 2,
    desiredReplicas: 3,
    currentMetrics: [
      {
        type: 'Resource',
        resource: { name: 'cpu', current: { averageValue: '40m', averageUtilization: 40 } },
      },
    ],
    conditions: [{ type: 'AbleToScale', status: 'True', reason: 'R', message: 'm' }],
  },
} satisfies HorizontalPodAutoscaler;

it('shows in annotations what autoscaling/v1 has no fields for', () => {
  const { metadata, spec, status } = autoscalerToV1(mutableCopy(whole));
  expect(spec).toEqual({
    scaleTargetRef: whole.spec.scaleTargetRef,
    minReplicas: 2,
    maxReplicas: 5,
    targetCPUUtilizationPercentage: 60,
  });
  expect(status).toEqual({ currentReplicas: 2, desiredReplicas: 3, currentCPUUtilizationPercentage: 40 });
  expect(Object.keys(metadata.annotations ?? {})).toEqual([
    'mine',
    `${prefix}metrics`,
    `${prefix}current-metrics`,
    `${prefix}conditions`,
    `${prefix}behavior`,
  ]);
  expect(metadata.annotations?.[`${prefix}behavior`]).toBe(
    '{"ScaleUp":{"StabilizationWindowSeconds":0,"SelectPolicy":"Max","Policies":[{"Type":"Pods","Value":4,"PeriodSeconds":15}],"Tolerance":null},"ScaleDown":{"StabilizationWindowSeconds":null,"SelectPolicy":"Disabled","Policies":[{"Type":"Percent","Value":100,"PeriodSeconds":15}],"Tolerance":"200m"}}',
  );
});

it('comes back from autoscaling/v1 as it was', () => {
  expect(autoscalerToV2(autoscalerToV1(mutableCopy(whole)))).toEqual(whole);
});

it('asks for 80 % of the CPU when autoscaling/v1 asks for nothing', () => {
  const bare = autoscalerToV2({
    apiVersion: 'autoscaling/v1',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'web', annotations: { [`${prefix}metrics`]: 'no JSON' } },
    spec: { scaleTargetRef: { kind: 'Deployment', name: 'web' }, maxReplicas: 2 },
  });
  expect(bare.metadata).toEqual({ name: 'web' });
  expect(bare.spec.metrics).toEqual([
    { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } },
  ]);
});
