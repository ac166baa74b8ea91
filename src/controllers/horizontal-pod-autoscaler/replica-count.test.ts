import { describe, expect, it } from 'vitest';
import type { Pod } from '../../api/core/v1.gen.ts';
import type { PodMetrics } from './pod-metrics.ts';
import {
  countByAverage,
  countByUtilization,
  countByValue,
  countPerReplica,
  type Count,
  type Target,
} from './replica-count.ts';

const now = Date.UTC(2026, 2, 2, 10);
const ago = (seconds: number): string => new Date(now - seconds * 1000).toISOString();

interface Shape {
  /** Seconds since the start, and since the last change of readiness. */
  readonly started?: number;
  readonly changed?: number;
  readonly ready?: boolean;
  readonly phase?: NonNullable<Pod['status']>['phase'];
  readonly deleting?: true;
  readonly request?: string | null;
}

/** A pod that has been ready for an hour and asks for one core, unless said otherwise. */
function pod(name: string, shape: Shape = {}): Pod {
  const { started = 3600, changed = 3590, ready = true, phase = 'Running', deleting, request = '1' } = shape;
  const condition = { type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: ago(changed) };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ...(deleting && { deletionTimestamp: ago(0) }) },
    spec: {
      containers: [
        {
          name: 'c',
          ...(request !== null && { resources: { requests: { cpu: request, memory: request } } }),
        },
      ],
    },
    status: { phase, startTime: ago(started), conditions: [condition] },
  };
}

const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'];
const group = (count: number, shape: Shape = {}, from = 0): Pod[] =>
  names.slice(from, from + count).map((name) => pod(name, shape));

/** Values of the first pods; samples are 30 s old. */
function usage(...values: readonly number[]): PodMetrics {
  return new Map(
    values.flatMap((value, index) =>
      Number.isNaN(value) ? [] : [[names[index] ?? '', { value, at: now - 30_000, windowMs: 60_000 }]],
    ),
  );
}

const target = (pods: readonly Pod[], replicas = pods.length, tolerance = 0.1): Target => ({
  replicas,
  pods,
  tolerances: { up: tolerance, down: tolerance },
  now,
});

function attempt(count: () => Count): string {
  try {
    const { replicas, value, utilization } = count();
    return `${replicas} (${utilization === undefined ? '' : `${utilization}% `}${value}m)`;
  } catch (error) {
    return String(error instanceof Error ? error.message : error);
  }
}

describe('by a percentage of the requests', () => {
  const cpu = (pods: readonly Pod[], values: readonly number[], percent = 50, replicas?: number): string =>
    attempt(() => countByUtilization(target(pods, replicas), usage(...values), { resource: 'cpu', percent }));
  const fresh = { started: 60, changed: 50 };
  it.each<[string, string, string]>([
    ['more than the target', cpu(group(3), [300, 500, 700], 30), '5 (50% 500m)'],
    ['less than the target', cpu(group(4), [100, 100, 100, 100], 20), '2 (10% 100m)'],
    ['within the tolerance', cpu(group(3), [540, 540, 540]), '3 (54% 540m)'],
    [
      'at the edge of the tolerance',
      cpu(
        group(10),
        names.map(() => 550),
      ),
      '10 (55% 550m)',
    ],
    ['utilization is a whole percentage, rounded down', cpu(group(3), [100, 100, 139], 10), '3 (11% 113m)'],
    ['a target above one hundred', cpu(group(2), [3000, 3000], 200), '3 (300% 3000m)'],
    ['no pods', cpu([], [500]), 'no pods returned by selector while calculating replica count'],
    [
      'no metrics of any pod',
      cpu(group(2), []),
      'did not receive metrics for targeted pods (pods might be unready)',
    ],
    ['metrics of other pods only', cpu(group(1, {}, 5), [500]), 'no metrics returned matched known pods'],
    [
      'no request',
      cpu([pod('a', { request: null })], [500]),
      'missing request for cpu in container c of Pod a',
    ],
    ['missing pods use all when shrinking', cpu(group(4), [100, 100, 100, Number.NaN]), '3 (10% 100m)'],
    [
      'missing pods use the target above one hundred',
      cpu(group(4), [1000, 1000, 1000, Number.NaN], 300),
      '2 (100% 1000m)',
    ],
    [
      'missing pods use nothing when growing',
      cpu(group(4), [1000, 1000, 1000, Number.NaN]),
      '6 (100% 1000m)',
    ],
    [
      'missing pods may keep the target as it is',
      cpu(group(3), [150, Number.NaN, Number.NaN]),
      '3 (15% 150m)',
    ],
    [
      'missing pods never turn the direction',
      cpu(group(4), [600, Number.NaN, Number.NaN, Number.NaN]),
      '4 (60% 600m)',
    ],
    ['missing pods at exactly the target change nothing', cpu(group(2), [500, Number.NaN]), '2 (50% 500m)'],
    [
      'unready pods use nothing when growing',
      cpu([...group(3), ...group(1, { ...fresh, ready: false }, 3)], [1000, 1000, 1000, 900]),
      '6 (100% 1000m)',
    ],
    [
      'unready pods are left out when shrinking',
      cpu([...group(3), ...group(1, { ...fresh, ready: false }, 3)], [100, 100, 100, 900], 50, 4),
      '1 (10% 100m)',
    ],
    [
      'pending pods are unready',
      cpu([...group(2), ...group(1, { phase: 'Pending' }, 2)], [1000, 1000], 50),
      '4 (100% 1000m)',
    ],
    [
      'failed and deleted pods do not count',
      cpu(
        [...group(2), pod('c', { phase: 'Failed' }), pod('d', { deleting: true })],
        [1000, 1000, 9000, 9000],
        50,
        2,
      ),
      '4 (100% 1000m)',
    ],
    [
      'only unready pods',
      cpu(group(2, { ...fresh, ready: false }), [900, 900]),
      'did not receive metrics for targeted pods (pods might be unready)',
    ],
    [
      'more pods than replicas do not grow it against the direction',
      cpu([...group(2), ...group(6, {}, 2)], [400, 400], 50, 2),
      '2 (40% 400m)',
    ],
  ])('%s', (_, actual, expected) => {
    expect(actual).toBe(expected);
  });

  it.each<[string, Shape, 'ready' | 'unready']>([
    ['young and not ready', { started: 60, changed: 50, ready: false }, 'unready'],
    ['young, ready for less than a window', { started: 80, changed: 70 }, 'unready'],
    ['young, ready for longer than that', { started: 200, changed: 95 }, 'ready'],
    ['old, never ready', { started: 600, changed: 590, ready: false }, 'unready'],
    ['old, no longer ready', { started: 600, changed: 100, ready: false }, 'ready'],
    ['old and ready', { started: 600, changed: 10 }, 'ready'],
  ])('a pod that is %s', (_, shape, expected) => {
    const count = cpu([pod('a', shape)], [1000], 50);
    expect(count).toBe(
      expected === 'ready'
        ? '2 (100% 1000m)'
        : 'did not receive metrics for targeted pods (pods might be unready)',
    );
  });

  it('what warms up is counted for other resources', () => {
    const options = { resource: 'memory', percent: 50 };
    const pods = group(1, { ...fresh, ready: false });
    expect(attempt(() => countByUtilization(target(pods), usage(1000), options))).toBe('2 (100% 1000m)');
  });

  it('one container alone', () => {
    const [one] = group(1);
    if (!one) throw new Error('no pod');
    const sidecar = { name: 's', restartPolicy: 'Always', resources: { requests: { cpu: '4' } } };
    const pods = [{ ...one, spec: { ...one.spec, initContainers: [sidecar] } }];
    const count = (container?: string): string =>
      attempt(() =>
        countByUtilization(target(pods), usage(2000), {
          resource: 'cpu',
          percent: 50,
          ...(container && { container }),
        }),
      );
    expect([count('c'), count('s'), count(), count('x')]).toEqual([
      '4 (200% 2000m)',
      '1 (50% 2000m)',
      '1 (40% 2000m)',
      'container x not found in Pod a',
    ]);
  });

  it('what the pod as a whole requests', () => {
    const [one] = group(1);
    if (!one) throw new Error('no pod');
    const pods = [{ ...one, spec: { ...one.spec, resources: { requests: { cpu: '2' } } } }];
    const count = (resource: string): string =>
      attempt(() => countByUtilization(target(pods), usage(2000), { resource, percent: 50 }));
    expect([count('cpu'), count('memory'), count('disk')]).toEqual([
      '2 (100% 2000m)',
      '4 (200% 2000m)',
      'missing pod-level request for disk in Pod a',
    ]);
  });

  it('each direction has its tolerance', () => {
    const count = (up: number, down: number, used: number): string => {
      const options = { resource: 'cpu', percent: 50 };
      const wide = { ...target(group(10)), tolerances: { up, down } };
      return attempt(() => countByUtilization(wide, usage(...names.map(() => used)), options));
    };
    expect([count(0, 0.5, 510), count(0, 0.5, 260), count(0.5, 0, 740), count(0.5, 0, 490)]).toEqual([
      '11 (51% 510m)',
      '10 (26% 260m)',
      '10 (74% 740m)',
      '10 (49% 490m)',
    ]);
  });
});

describe('by an average', () => {
  const average = (pods: readonly Pod[], values: readonly number[], wanted: number): string =>
    attempt(() => countByAverage(target(pods), usage(...values), { average: wanted }));
  it.each<[string, string, string]>([
    ['more than the target', average(group(3), [20_000, 10_000, 30_000], 15_000), '4 (20000m)'],
    ['less than the target', average(group(3), [2000, 1000, 3000], 10_000), '1 (2000m)'],
    ['within the tolerance', average(group(3), [10_500, 10_500, 10_500], 10_000), '3 (10500m)'],
    [
      'missing pods have the target when shrinking',
      average(group(3), [1000, 1000, Number.NaN], 10_000),
      '2 (1000m)',
    ],
    [
      'missing pods have nothing when growing',
      average(group(3), [30_000, 30_000, Number.NaN], 10_000),
      '6 (30000m)',
    ],
    [
      'fresh pods count',
      average(group(2, { started: 10, changed: 5, ready: false }), [30_000, 30_000], 10_000),
      '6 (30000m)',
    ],
  ])('%s', (_, actual, expected) => {
    expect(actual).toBe(expected);
  });
});

describe('by the value of something else', () => {
  it.each<[string, string, string]>([
    ['twice the target', attempt(() => countByValue(target(group(3)), 20_000, 10_000)), '6 (20000m)'],
    ['half the target', attempt(() => countByValue(target(group(4)), 5000, 10_000)), '2 (5000m)'],
    ['within the tolerance', attempt(() => countByValue(target(group(3)), 10_900, 10_000)), '3 (10900m)'],
    [
      'only ready pods are multiplied',
      attempt(() => countByValue(target([...group(2), ...group(2, { ready: false }, 2)]), 20_000, 10_000)),
      '4 (20000m)',
    ],
    ['from nothing', attempt(() => countByValue(target([], 0), 25_000, 10_000)), '3 (25000m)'],
    [
      'no pods',
      attempt(() => countByValue(target([], 2), 25_000, 10_000)),
      'unable to calculate ready pods: no pods returned by selector while calculating replica count',
    ],
    [
      'so much for each replica',
      attempt(() => countPerReplica(target(group(2)), 50_000, 10_000)),
      '5 (25000m)',
    ],
    [
      'so much for each, within the tolerance',
      attempt(() => countPerReplica(target(group(2)), 21_000, 10_000)),
      '2 (10500m)',
    ],
    ['so much for each of none', attempt(() => countPerReplica(target([], 0), 25_000, 10_000)), '3 (0m)'],
  ])('%s', (_, actual, expected) => {
    expect(actual).toBe(expected);
  });
});
