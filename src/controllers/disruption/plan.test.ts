import { describe, expect, it } from 'vitest';
import type { Pod, PodCondition } from '../../api/core/v1.gen.ts';
import type {
  PodDisruptionBudget,
  PodDisruptionBudgetSpec,
  PodDisruptionBudgetStatus,
} from '../../api/policy/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { planBudget, type BudgetPlan, type ControllerScale } from './plan.ts';
import { msUntilStale, withoutDisruption } from './stale-disruption.ts';

const now = Date.UTC(2026, 2, 2, 10);
const ago = (seconds: number): string => new Date(now - seconds * 1000).toISOString().replace('.000', '');

function budget(
  spec: PodDisruptionBudgetSpec,
  status?: PodDisruptionBudgetStatus,
): Live<PodDisruptionBudget> {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: {
      name: 'b',
      namespace: 'n',
      uid: 'b',
      resourceVersion: '1',
      creationTimestamp: ago(60),
      generation: 2,
    },
    spec: { selector: { matchLabels: { app: 'web' } }, ...spec },
    ...(status && { status }),
  };
}

interface PodShape {
  readonly owner?: string;
  readonly ready?: false;
  readonly deleting?: true;
  readonly conditions?: readonly PodCondition[];
  readonly phase?: 'Running' | 'Failed';
}

function pod(
  name: string,
  { owner, ready, deleting, conditions = [], phase = 'Running' }: PodShape = {},
): Live<Pod> {
  const reference = {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    name: owner ?? '',
    uid: owner ?? '',
    controller: true,
  };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'n',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: ago(60),
      ...(deleting && { deletionTimestamp: ago(1) }),
      ...(owner !== undefined && { ownerReferences: [reference] }),
    },
    spec: { containers: [] },
    status: {
      phase,
      conditions: [{ type: 'Ready', status: ready === false ? 'False' : 'True' }, ...conditions],
    },
  };
}

interface Scene {
  readonly spec: PodDisruptionBudgetSpec;
  readonly status?: PodDisruptionBudgetStatus;
  readonly pods?: readonly Live<Pod>[];
  readonly scales?: Readonly<Record<string, ControllerScale | number>>;
}

function plan({ spec, status, pods = [], scales = {} }: Scene): BudgetPlan {
  const entries = Object.entries(scales).map(
    ([uid, scale]) => [uid, typeof scale === 'number' ? { uid, replicas: scale } : scale] as const,
  );
  return planBudget({ budget: budget(spec, status), pods, scales: new Map(entries), now });
}

/** Allowed disruptions, and healthy of desired of expected pods. */
function numbers({ status }: BudgetPlan): string {
  const { disruptionsAllowed, currentHealthy, desiredHealthy, expectedPods } = status;
  return `${disruptionsAllowed}: ${currentHealthy} of ${desiredHealthy} of ${expectedPods}`;
}

const set = (count: number, owner = 'rs'): Live<Pod>[] =>
  Array.from({ length: count }, (_, index) => pod(`${owner}-${index}`, { owner }));

describe('the numbers of a budget', () => {
  it.each<[string, Scene, string]>([
    ['without pods', { spec: { minAvailable: 1 } }, '0: 0 of 1 of 0'],
    ['minAvailable 0 without pods lets nothing go', { spec: { minAvailable: 0 } }, '0: 0 of 0 of 0'],
    ['a number of pods counts the pods', { spec: { minAvailable: 1 }, pods: set(3) }, '2: 3 of 1 of 3'],
    [
      'a number of pods needs no controller',
      { spec: { minAvailable: 1 }, pods: [pod('a')] },
      '0: 1 of 1 of 1',
    ],
    ['more than there are', { spec: { minAvailable: 5 }, pods: set(3) }, '0: 3 of 5 of 3'],
    [
      'a share of what the controller wants',
      { spec: { minAvailable: '50%' }, pods: set(3), scales: { rs: 5 } },
      '0: 3 of 3 of 5',
    ],
    [
      'a share is rounded up',
      { spec: { minAvailable: '34%' }, pods: set(3), scales: { rs: 3 } },
      '1: 3 of 2 of 3',
    ],
    ['all', { spec: { minAvailable: '100%' }, pods: set(3), scales: { rs: 3 } }, '0: 3 of 3 of 3'],
    ['maxUnavailable', { spec: { maxUnavailable: 1 }, pods: set(3), scales: { rs: 3 } }, '1: 3 of 2 of 3'],
    [
      'maxUnavailable while pods are missing',
      { spec: { maxUnavailable: 1 }, pods: set(2), scales: { rs: 3 } },
      '0: 2 of 2 of 3',
    ],
    [
      'maxUnavailable of more than there are',
      { spec: { maxUnavailable: 9 }, pods: set(3), scales: { rs: 3 } },
      '3: 3 of 0 of 3',
    ],
    [
      'a share that may be unavailable is rounded up',
      { spec: { maxUnavailable: '1%' }, pods: set(3), scales: { rs: 3 } },
      '1: 3 of 2 of 3',
    ],
    ['nothing said at all', { spec: {}, pods: set(3) }, '3: 3 of 0 of 3'],
    [
      'several controllers are added up',
      { spec: { maxUnavailable: 2 }, pods: [...set(2, 'a'), ...set(2, 'b')], scales: { a: 2, b: 3 } },
      '1: 4 of 3 of 5',
    ],
    [
      'sets of one deployment count once',
      {
        spec: { maxUnavailable: 1 },
        pods: [...set(2, 'old'), ...set(2, 'new')],
        scales: { old: { uid: 'd', replicas: 3 }, new: { uid: 'd', replicas: 3 } },
      },
      '2: 4 of 2 of 3',
    ],
    [
      'pods that are not ready',
      { spec: { minAvailable: 1 }, pods: [pod('a'), pod('b', { ready: false })] },
      '0: 1 of 1 of 2',
    ],
    [
      'pods that are being deleted',
      { spec: { minAvailable: 1 }, pods: [...set(2), pod('x', { deleting: true })] },
      '1: 2 of 1 of 3',
    ],
    [
      'a controller scaled to nothing',
      { spec: { maxUnavailable: 1 }, pods: set(1), scales: { rs: 0 } },
      '0: 1 of 0 of 0',
    ],
    [
      'pods whose eviction was granted are gone already',
      {
        spec: { minAvailable: 1 },
        pods: set(3),
        status: {
          currentHealthy: 3,
          desiredHealthy: 1,
          disruptionsAllowed: 1,
          expectedPods: 3,
          disruptedPods: { 'rs-0': ago(5) },
        },
      },
      '1: 2 of 1 of 3',
    ],
    [
      'an eviction that did not happen for two minutes does not count',
      {
        spec: { minAvailable: 1 },
        pods: set(3),
        status: {
          currentHealthy: 2,
          desiredHealthy: 1,
          disruptionsAllowed: 1,
          expectedPods: 3,
          disruptedPods: { 'rs-0': ago(121) },
        },
      },
      '2: 3 of 1 of 3',
    ],
  ])('%s', (_, scene, expected) => {
    expect(numbers(plan(scene))).toBe(expected);
  });
});

describe('what a budget reports', () => {
  const counted = { currentHealthy: 3, desiredHealthy: 1, disruptionsAllowed: 2, expectedPods: 3 };
  const condition = (
    status: string,
    reason: string,
    message = '',
    observedGeneration: number | undefined = 2,
  ): object => ({
    type: 'DisruptionAllowed',
    status,
    reason,
    message,
    lastTransitionTime: ago(0),
    ...(observedGeneration && { observedGeneration }),
  });

  it('the generation that the numbers are about', () => {
    expect(plan({ spec: { minAvailable: 1 }, pods: set(3) }).status).toEqual({
      ...counted,
      observedGeneration: 2,
      conditions: [condition('True', 'SufficientPods')],
    });
  });

  it('the time of the condition stays while its status does', () => {
    const before = {
      type: 'DisruptionAllowed',
      status: 'True',
      reason: 'SufficientPods',
      message: '',
      lastTransitionTime: ago(500),
    };
    const other = { ...before, type: 'Other' };
    const status = { ...counted, conditions: [before, other] };
    expect(plan({ spec: { minAvailable: 1 }, pods: set(3), status }).status.conditions).toEqual([
      { ...before, observedGeneration: 2 },
      other,
    ]);
  });

  it.each<[string, Scene, string]>([
    [
      'no controller found',
      { spec: { maxUnavailable: 1 }, pods: set(1) },
      'found no controllers for pod "rs-0"',
    ],
    [
      'a kind that cannot be scaled',
      {
        spec: { maxUnavailable: 1 },
        pods: set(1),
        scales: { rs: { problem: 'jobs.batch does not implement the scale subresource' } },
      },
      'jobs.batch does not implement the scale subresource',
    ],
  ])('a failure keeps the numbers and allows nothing: %s', (_, scene, problem) => {
    const { status, events } = plan({ ...scene, status: { ...counted, observedGeneration: 1 } });
    expect({ status, events }).toEqual({
      status: {
        ...counted,
        disruptionsAllowed: 0,
        observedGeneration: 1,
        conditions: [condition('False', 'SyncFailed', problem, 1)],
      },
      events: [
        {
          type: 'Warning',
          reason: 'CalculateExpectedPodCountFailed',
          message: `Failed to calculate the number of expected pods: ${problem}`,
        },
      ],
    });
  });

  it('pods without a controller are warned of, and not counted', () => {
    const unmanaged = plan({ spec: { maxUnavailable: 1 }, pods: [pod('a'), ...set(1)], scales: { rs: 1 } });
    expect([numbers(unmanaged), unmanaged.events.map(({ reason }) => reason)]).toEqual([
      '2: 2 of 0 of 1',
      ['UnmanagedPods'],
    ]);
    expect(unmanaged.events[0]?.message).toContain(
      '(selector: &LabelSelector{MatchLabels:map[string]string{app: web,},MatchExpressions:[]LabelSelectorRequirement{},})',
    );
  });

  it('evictions that are on their way, and those that never happened', () => {
    const disruptedPods = {
      'rs-0': ago(121),
      'rs-1': ago(100),
      'rs-2': ago(30),
      gone: ago(10),
      going: ago(10),
    };
    const pods = [...set(3), pod('going', { deleting: true })];
    const { status, notDeleted, recheckMs } = plan({
      spec: { minAvailable: 1 },
      pods,
      status: { ...counted, disruptedPods },
    });
    expect([status.disruptedPods, notDeleted.map(({ metadata }) => metadata.name), recheckMs]).toEqual([
      { 'rs-1': ago(100), 'rs-2': ago(30) },
      ['rs-0'],
      20_001,
    ]);
  });
});

describe('a disruption that does not happen', () => {
  const target = (seconds: number, reason = 'EvictionByEvictionAPI'): PodCondition => ({
    type: 'DisruptionTarget',
    status: 'True',
    reason,
    lastTransitionTime: ago(seconds),
  });
  it.each<[string, PodShape, number | undefined]>([
    ['not meant to be disrupted', {}, undefined],
    ['about to be', { conditions: [target(50)] }, 70_000],
    ['overdue', { conditions: [target(500)] }, 0],
    ['being deleted', { conditions: [target(500)], deleting: true }, undefined],
    ['finished', { conditions: [target(500)], phase: 'Failed' }, undefined],
    ['ended by its node', { conditions: [target(500, 'TerminationByKubelet')] }, undefined],
    ['taken back', { conditions: [{ ...target(500), status: 'False' }] }, undefined],
  ])('%s', (_, shape, expected) => {
    expect(msUntilStale(pod('a', shape), now)).toBe(expected);
  });

  it('is taken back', () => {
    expect(withoutDisruption({ conditions: [target(500)] }, now).conditions).toEqual([
      { type: 'DisruptionTarget', status: 'False', lastTransitionTime: ago(0) },
    ]);
  });
});
