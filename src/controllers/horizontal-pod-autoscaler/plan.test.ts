import { describe, expect, it } from 'vitest';
import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerSpec,
  HorizontalPodAutoscalerStatus,
  MetricSpec,
} from '../../api/autoscaling/v2.gen.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { planAutoscaler, rescaled, withoutScale, type AutoscalerPlan, type SelectorProblem } from './plan.ts';
import type { Reading } from './proposal.ts';

const now = Date.UTC(2026, 2, 2, 10);
const time = '2026-03-02T10:00:00Z';

const cpu: MetricSpec = {
  type: 'Resource',
  resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } },
};
const requests: MetricSpec = {
  type: 'Pods',
  pods: { metric: { name: 'requests' }, target: { type: 'AverageValue', averageValue: '10' } },
};
const queue: MetricSpec = {
  type: 'External',
  external: {
    metric: { name: 'queue', selector: { matchLabels: { q: 'x' } } },
    target: { type: 'AverageValue', averageValue: '10' },
  },
};
const hits: MetricSpec = {
  type: 'Object',
  object: {
    metric: { name: 'hits' },
    describedObject: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'main' },
    target: { type: 'Value', value: '10' },
  },
};

function autoscaler(
  spec: Partial<HorizontalPodAutoscalerSpec>,
  status?: HorizontalPodAutoscalerStatus,
): Live<HorizontalPodAutoscaler> {
  return {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: 'h', namespace: 'n', uid: 'h', resourceVersion: '1', creationTimestamp: time },
    spec: {
      scaleTargetRef: { kind: 'Deployment', name: 'd' },
      minReplicas: 1,
      maxReplicas: 10,
      metrics: [cpu],
      ...spec,
    },
    ...(status && { status }),
  };
}

const names = ['a', 'b', 'c', 'd', 'e'];
const pods = (count: number): Pod[] =>
  names.slice(0, count).map((name) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'c', resources: { requests: { cpu: '1' } } }] },
    status: {
      phase: 'Running',
      startTime: '2026-03-02T09:00:00Z',
      conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: '2026-03-02T09:00:10Z' }],
    },
  }));
const each = (value: number, count = 5): Reading => ({
  type: 'pods',
  samples: new Map(names.slice(0, count).map((name) => [name, { value, at: now, windowMs: 60_000 }])),
});
const value = (amount: number): Reading => ({ type: 'value', value: amount });
const problem = (text: string): Reading => ({ type: 'problem', problem: text });

interface Scene {
  readonly spec?: Partial<HorizontalPodAutoscalerSpec>;
  readonly status?: HorizontalPodAutoscalerStatus;
  readonly replicas?: number;
  readonly readings?: readonly Reading[];
  readonly pods?: SelectorProblem;
}

function plan({
  spec = {},
  status,
  replicas = 2,
  readings = [each(500, 2)],
  pods: unknown,
}: Scene): AutoscalerPlan {
  return planAutoscaler({
    autoscaler: autoscaler(spec, status),
    replicas,
    statusReplicas: replicas,
    pods: unknown ?? pods(replicas),
    readings,
    history: undefined,
    now,
  });
}

const conditionsOf = ({ status }: Pick<AutoscalerPlan, 'status'>): string[] =>
  (status.conditions ?? []).map(({ type, status, reason }) => `${type} ${status} ${reason}`);

describe('the number of replicas', () => {
  it.each<[string, Scene, AutoscalerPlan['rescale']]>([
    ['stays', {}, undefined],
    [
      'grows',
      { readings: [each(1000, 2)] },
      { from: 2, to: 4, reason: 'cpu resource utilization (percentage of request) above target' },
    ],
    ['shrinks no faster than the window', { readings: [each(100, 2)] }, undefined],
    [
      'comes down to the maximum',
      { replicas: 5, spec: { maxReplicas: 3 } },
      { from: 5, to: 3, reason: 'Current number of replicas above Spec.MaxReplicas' },
    ],
    [
      'comes up to the minimum',
      { spec: { minReplicas: 4 } },
      { from: 2, to: 4, reason: 'Current number of replicas below Spec.MinReplicas' },
    ],
    ['stays at none', { replicas: 0 }, undefined],
    [
      'is the most that a metric asks for',
      { spec: { metrics: [cpu, requests, queue] }, readings: [each(500, 2), each(15_000, 2), value(25_000)] },
      { from: 2, to: 3, reason: 'pods metric requests above target' },
    ],
    [
      'may grow though a metric is missing',
      { spec: { metrics: [requests, cpu] }, readings: [problem('gone'), each(1000, 2)] },
      { from: 2, to: 4, reason: 'cpu resource utilization (percentage of request) above target' },
    ],
    [
      'does not shrink while a metric is missing',
      {
        spec: { metrics: [requests, cpu], behavior: { scaleDown: { stabilizationWindowSeconds: 0 } } },
        readings: [problem('gone'), each(100, 2)],
      },
      undefined,
    ],
    [
      'follows an object',
      { spec: { metrics: [hits] }, readings: [value(15_000)] },
      { from: 2, to: 3, reason: 'Ingress metric hits above target' },
    ],
    [
      'follows something outside',
      { spec: { metrics: [queue] }, readings: [value(35_000)] },
      {
        from: 2,
        to: 4,
        reason:
          'external metric queue(&LabelSelector{MatchLabels:map[string]string{q: x,},MatchExpressions:[]LabelSelectorRequirement{},}) above target',
      },
    ],
  ])('%s', (_, scene, expected) => {
    expect(plan(scene).rescale).toEqual(expected);
  });
});

describe('what is reported', () => {
  it('the metrics as they are', () => {
    const metrics = [cpu, requests, hits, queue];
    const { status } = plan({
      spec: { metrics },
      readings: [each(512, 2), each(10_000, 2), value(10_500), value(21_500)],
    });
    expect(status).toEqual({
      currentReplicas: 2,
      desiredReplicas: 2,
      currentMetrics: [
        {
          type: 'Resource',
          resource: { name: 'cpu', current: { averageUtilization: 51, averageValue: '512m' } },
        },
        { type: 'Pods', pods: { metric: { name: 'requests' }, current: { averageValue: '10' } } },
        {
          type: 'Object',
          object: {
            metric: { name: 'hits' },
            describedObject: { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'main' },
            current: { value: '10500m' },
          },
        },
        {
          type: 'External',
          external: { metric: queue.external?.metric, current: { averageValue: '10750m' } },
        },
      ],
      conditions: [
        {
          type: 'AbleToScale',
          status: 'True',
          reason: 'ReadyForNewScale',
          message: 'recommended size matches current size',
          lastTransitionTime: time,
        },
        {
          type: 'ScalingActive',
          status: 'True',
          reason: 'ValidMetricFound',
          message:
            'the HPA was able to successfully calculate a replica count from cpu resource utilization (percentage of request)',
          lastTransitionTime: time,
        },
        {
          type: 'ScalingLimited',
          status: 'False',
          reason: 'DesiredWithinRange',
          message: 'the desired count is within the acceptable range',
          lastTransitionTime: time,
        },
      ],
    });
  });

  it('a metric that cannot be read, as upstream words it', () => {
    const why =
      'unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server could not find the requested resource (get pods.metrics.k8s.io)';
    const { status, events } = plan({ readings: [problem(why)] });
    expect({ status, events }).toEqual({
      status: {
        currentReplicas: 2,
        desiredReplicas: 0,
        currentMetrics: [{ type: '' }],
        conditions: [
          {
            type: 'AbleToScale',
            status: 'True',
            reason: 'SucceededGetScale',
            message: "the HPA controller was able to get the target's current scale",
            lastTransitionTime: time,
          },
          {
            type: 'ScalingActive',
            status: 'False',
            reason: 'FailedGetResourceMetric',
            message: `the HPA was unable to compute the replica count: failed to get cpu utilization: ${why}`,
            lastTransitionTime: time,
          },
        ],
      },
      events: [
        {
          type: 'Warning',
          reason: 'FailedGetResourceMetric',
          message: `failed to get cpu utilization: ${why}`,
        },
        {
          type: 'Warning',
          reason: 'FailedComputeMetricsReplicas',
          message: `invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: failed to get cpu utilization: ${why}`,
        },
      ],
    });
  });

  const resource = { name: 'cpu', container: 'c', target: { type: 'Utilization', averageUtilization: 50 } };
  it.each<[MetricSpec, string, string, string]>([
    [
      { type: 'ContainerResource', containerResource: resource },
      'FailedGetContainerResourceMetric',
      'failed to get cpu utilization: x',
      'failed to get c container metric value: failed to get cpu utilization: x',
    ],
    [
      { type: 'Resource', resource: { name: 'cpu', target: { type: 'AverageValue', averageValue: '1' } } },
      'FailedGetResourceMetric',
      'failed to get cpu usage: x',
      'failed to get cpu resource metric value: failed to get cpu usage: x',
    ],
    [requests, 'FailedGetPodsMetric', 'x', 'failed to get pods metric value: x'],
    [hits, 'FailedGetObjectMetric', 'x', 'failed to get object metric value: x'],
    [
      queue,
      'FailedGetExternalMetric',
      'x',
      'failed to get queue external metric value: failed to get queue external metric: x',
    ],
    [
      { type: 'Phase' },
      'InvalidMetricSourceType',
      'unknown metric source type "Phase"',
      'unknown metric source type "Phase"',
    ],
  ])('%s', (metric, reason, event, error) => {
    const { events } = plan({ spec: { metrics: [metric] }, readings: [problem('x')] });
    expect(events).toEqual([
      { type: 'Warning', reason, message: event },
      {
        type: 'Warning',
        reason: 'FailedComputeMetricsReplicas',
        message: `invalid metrics (1 invalid out of 1), first error is: ${error}`,
      },
    ]);
  });

  it('a target without replicas', () => {
    const { status } = plan({ replicas: 0 });
    expect([status.desiredReplicas, status.currentReplicas, conditionsOf({ status })]).toEqual([
      0,
      undefined,
      ['AbleToScale True SucceededGetScale', 'ScalingActive False ScalingDisabled'],
    ]);
  });

  it('a target without a selector', () => {
    const { status, events } = plan({
      pods: {
        reason: 'SelectorRequired',
        problem: 'selector is required',
        conditionReason: 'InvalidSelector',
        conditionMessage: 'none',
      },
    });
    expect([conditionsOf({ status }), events.map(({ reason }) => reason)]).toEqual([
      ['AbleToScale True SucceededGetScale', 'ScalingActive False InvalidSelector'],
      ['SelectorRequired', 'FailedComputeMetricsReplicas'],
    ]);
  });

  it('the time of a condition changes with its status only', () => {
    const old = {
      type: 'AbleToScale',
      status: 'True',
      reason: 'Other',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    };
    const { status } = plan({ status: { desiredReplicas: 2, currentMetrics: [], conditions: [old] } });
    expect(status.conditions?.[0]).toMatchObject({
      reason: 'ReadyForNewScale',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    });
  });

  it('a target that cannot be found keeps the rest', () => {
    const before = { desiredReplicas: 3, currentReplicas: 3, currentMetrics: [{ type: 'Pods' }] };
    expect(withoutScale(autoscaler({}, before), 'deployments.apps "d" not found', now)).toEqual({
      ...before,
      conditions: [
        {
          type: 'AbleToScale',
          status: 'False',
          reason: 'FailedGetScale',
          message:
            'the HPA controller was unable to get the target\'s current scale: deployments.apps "d" not found',
          lastTransitionTime: time,
        },
      ],
    });
  });
});

describe('after the target was scaled', () => {
  const grown = {
    readings: [each(1000, 2)],
    spec: { behavior: { scaleUp: { policies: [{ type: 'Pods', value: 9, periodSeconds: 60 }] } } },
  };
  it('that is reported and remembered', () => {
    const made = plan(grown);
    const { status, events, history } = rescaled(made, {
      autoscaler: autoscaler(grown.spec),
      problem: undefined,
      now,
    });
    expect([
      status.lastScaleTime,
      status.desiredReplicas,
      conditionsOf({ status })[0],
      events,
      history.grown,
    ]).toEqual([
      time,
      4,
      'AbleToScale True SucceededRescale',
      [
        {
          type: 'Normal',
          reason: 'SuccessfulRescale',
          message: 'New size: 4; reason: cpu resource utilization (percentage of request) above target',
        },
      ],
      [{ at: now, by: 2 }],
    ]);
  });

  it('or that it could not be', () => {
    const before = { desiredReplicas: 2, currentMetrics: [] };
    const { status, events, history } = rescaled(plan(grown), {
      autoscaler: autoscaler(grown.spec, before),
      problem: 'no',
      now,
    });
    expect([
      status.lastScaleTime,
      status.desiredReplicas,
      conditionsOf({ status })[0],
      events,
      history.grown,
    ]).toEqual([
      undefined,
      2,
      'AbleToScale False FailedUpdateScale',
      [
        {
          type: 'Warning',
          reason: 'FailedRescale',
          message:
            'New size: 4; reason: cpu resource utilization (percentage of request) above target; error: no',
        },
      ],
      [],
    ]);
  });
});
