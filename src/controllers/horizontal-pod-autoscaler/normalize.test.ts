import { describe, expect, it } from 'vitest';
import type { HorizontalPodAutoscalerBehavior, HPAScalingRules } from '../../api/autoscaling/v2.gen.ts';
import { newHistory, normalize, withChange, type History } from './normalize.ts';

const now = Date.UTC(2026, 2, 2, 10);
const ago = (seconds: number): number => now - seconds * 1000;
const none: History = { recommendations: [], grown: [], shrunk: [] };

interface Scene {
  readonly current: number;
  readonly desired: number;
  readonly min?: number;
  readonly max?: number;
  readonly behavior?: HorizontalPodAutoscalerBehavior;
  readonly history?: Partial<History>;
}

/** The number of replicas, with what made it differ from the wish. */
function outcome({ current, desired, min = 1, max = 100, behavior, history }: Scene): string {
  const { replicas, ableToScale, limited } = normalize(
    { current, desired, min, max, behavior, now },
    { ...none, ...history },
  );
  return `${replicas} ${ableToScale.reason} ${limited.status === 'True' ? limited.reason : 'unlimited'}`;
}

const rules = (rule: Partial<HPAScalingRules>): HPAScalingRules => ({
  selectPolicy: 'Max',
  policies: [{ type: 'Percent', value: 100, periodSeconds: 15 }],
  ...rule,
});
const pods = (value: number, periodSeconds = 60) => ({ type: 'Pods', value, periodSeconds });
const percent = (value: number, periodSeconds = 60) => ({ type: 'Percent', value, periodSeconds });
const up = (rule: Partial<HPAScalingRules>): HorizontalPodAutoscalerBehavior => ({
  scaleUp: rules({ stabilizationWindowSeconds: 0, ...rule }),
  scaleDown: rules({}),
});
const down = (rule: Partial<HPAScalingRules>): HorizontalPodAutoscalerBehavior => ({
  scaleUp: rules({ stabilizationWindowSeconds: 0 }),
  scaleDown: rules({ stabilizationWindowSeconds: 0, ...rule }),
});

describe('without a behavior', () => {
  it.each<[string, Scene, string]>([
    ['as wished', { current: 3, desired: 5 }, '5 ReadyForNewScale unlimited'],
    ['at most twice as many', { current: 3, desired: 50 }, '6 ReadyForNewScale ScaleUpLimit'],
    ['four at least are allowed', { current: 1, desired: 50 }, '4 ReadyForNewScale ScaleUpLimit'],
    ['at most the maximum', { current: 3, desired: 50, max: 5 }, '5 ReadyForNewScale TooManyReplicas'],
    ['at least the minimum', { current: 5, desired: 1, min: 2 }, '2 ReadyForNewScale TooFewReplicas'],
    [
      'the highest of five minutes holds',
      { current: 9, desired: 2, history: { recommendations: [{ at: ago(299), replicas: 7 }] } },
      '7 ScaleDownStabilized unlimited',
    ],
    [
      'what is older does not',
      { current: 9, desired: 2, history: { recommendations: [{ at: ago(301), replicas: 7 }] } },
      '2 ReadyForNewScale unlimited',
    ],
  ])('%s', (_, scene, expected) => {
    expect(outcome(scene)).toBe(expected);
  });
});

describe('the windows of a behavior', () => {
  const recommendations = [
    { at: ago(50), replicas: 4 },
    { at: ago(20), replicas: 12 },
  ];
  const behavior = (upSeconds: number, downSeconds: number): HorizontalPodAutoscalerBehavior => ({
    scaleUp: rules({ stabilizationWindowSeconds: upSeconds, policies: [pods(100)] }),
    scaleDown: rules({ stabilizationWindowSeconds: downSeconds }),
  });
  it.each<[string, Scene, string]>([
    [
      'growing as far as all recommend',
      { current: 3, desired: 9, behavior: behavior(60, 0), history: { recommendations } },
      '4 ScaleUpStabilized unlimited',
    ],
    [
      'growing without a window',
      { current: 3, desired: 9, behavior: behavior(0, 60), history: { recommendations } },
      '9 ReadyForNewScale unlimited',
    ],
    [
      'shrinking as far as all recommend',
      { current: 20, desired: 2, behavior: behavior(0, 60), history: { recommendations } },
      '12 ScaleDownStabilized unlimited',
    ],
    [
      'shrinking with a short window',
      { current: 20, desired: 2, behavior: behavior(0, 10), history: { recommendations } },
      '2 ReadyForNewScale unlimited',
    ],
    [
      'both windows hold it where it is',
      { current: 8, desired: 9, behavior: behavior(60, 60), history: { recommendations } },
      '8 ScaleUpStabilized unlimited',
    ],
    [
      'by default shrinking waits five minutes',
      {
        current: 20,
        desired: 2,
        behavior: up({}),
        history: { recommendations: [{ at: ago(290), replicas: 15 }] },
      },
      '15 ScaleDownStabilized unlimited',
    ],
  ])('%s', (_, scene, expected) => {
    expect(outcome(scene)).toBe(expected);
  });
});

describe('the policies of a behavior', () => {
  it.each<[string, Scene, string]>([
    [
      'so many pods',
      { current: 10, desired: 50, behavior: up({ policies: [pods(4)] }) },
      '14 ReadyForNewScale ScaleUpLimit',
    ],
    [
      'a share, rounded up',
      { current: 5, desired: 50, behavior: up({ policies: [percent(10)] }) },
      '6 ReadyForNewScale ScaleUpLimit',
    ],
    [
      'the policy that allows most',
      { current: 10, desired: 50, behavior: up({ policies: [pods(4), percent(100)] }) },
      '20 ReadyForNewScale ScaleUpLimit',
    ],
    [
      'the policy that allows least',
      { current: 10, desired: 50, behavior: up({ policies: [pods(4), percent(100)], selectPolicy: 'Min' }) },
      '14 ReadyForNewScale ScaleUpLimit',
    ],
    [
      'no growing at all',
      { current: 10, desired: 50, behavior: up({ selectPolicy: 'Disabled' }) },
      '10 ReadyForNewScale ScaleUpLimit',
    ],
    [
      'the maximum before the policy',
      { current: 10, desired: 50, max: 12, behavior: up({ policies: [pods(4)] }) },
      '12 ReadyForNewScale TooManyReplicas',
    ],
    [
      'what was added within the period counts',
      {
        current: 10,
        desired: 50,
        behavior: up({ policies: [pods(4)] }),
        history: { grown: [{ at: ago(30), by: 3 }] },
      },
      '11 ReadyForNewScale ScaleUpLimit',
    ],
    [
      'what was added before does not',
      {
        current: 10,
        desired: 50,
        behavior: up({ policies: [pods(4)] }),
        history: { grown: [{ at: ago(60), by: 3 }] },
      },
      '14 ReadyForNewScale ScaleUpLimit',
    ],
    [
      'what was removed within the period may come back',
      {
        current: 10,
        desired: 50,
        behavior: up({ policies: [pods(4)] }),
        history: { shrunk: [{ at: ago(30), by: 3 }] },
      },
      '17 ReadyForNewScale ScaleUpLimit',
    ],
    [
      'a period that is used up never shrinks it',
      {
        current: 10,
        desired: 50,
        behavior: up({ policies: [pods(4)] }),
        history: { grown: [{ at: ago(30), by: 9 }] },
      },
      '10 ReadyForNewScale ScaleUpLimit',
    ],
    [
      'so many pods less',
      { current: 10, desired: 1, behavior: down({ policies: [pods(4)] }) },
      '6 ReadyForNewScale ScaleDownLimit',
    ],
    [
      'a share less, rounded down',
      { current: 10, desired: 1, behavior: down({ policies: [percent(25)] }) },
      '7 ReadyForNewScale ScaleDownLimit',
    ],
    [
      'the policy that removes most',
      { current: 10, desired: 1, behavior: down({ policies: [pods(4), percent(50)] }) },
      '5 ReadyForNewScale ScaleDownLimit',
    ],
    [
      'the policy that removes least',
      { current: 10, desired: 1, behavior: down({ policies: [pods(4), percent(50)], selectPolicy: 'Min' }) },
      '6 ReadyForNewScale ScaleDownLimit',
    ],
    [
      'no shrinking at all',
      { current: 10, desired: 1, behavior: down({ selectPolicy: 'Disabled' }) },
      '10 ReadyForNewScale ScaleDownLimit',
    ],
    [
      'the minimum before the policy',
      { current: 10, desired: 1, min: 8, behavior: down({ policies: [pods(4)] }) },
      '8 ReadyForNewScale TooFewReplicas',
    ],
    [
      'what was removed within the period counts',
      {
        current: 10,
        desired: 1,
        behavior: down({ policies: [pods(4)] }),
        history: { shrunk: [{ at: ago(30), by: 3 }] },
      },
      '9 ReadyForNewScale ScaleDownLimit',
    ],
    ['all may go', { current: 10, desired: 1, behavior: down({}) }, '1 ReadyForNewScale unlimited'],
  ])('%s', (_, scene, expected) => {
    expect(outcome(scene)).toBe(expected);
  });
});

describe('what is remembered', () => {
  it('begins with what there is', () => {
    expect(newHistory(3, now)).toEqual({ ...none, recommendations: [{ at: now, replicas: 3 }] });
  });

  it('is the wish, not what became of it, for as long as it matters', () => {
    const recommendations = [301, 299].map((seconds) => ({ at: ago(seconds), replicas: 9 }));
    const wish = { current: 9, desired: 2, min: 1, max: 10, behavior: undefined, now };
    expect(normalize(wish, { ...none, recommendations }).history.recommendations).toEqual([
      { at: ago(299), replicas: 9 },
      { at: now, replicas: 2 },
    ]);
  });

  it.each<[string, number, number, Partial<History>]>([
    [
      'growing',
      3,
      5,
      {
        grown: [
          { at: ago(50), by: 1 },
          { at: now, by: 2 },
        ],
      },
    ],
    [
      'shrinking',
      5,
      3,
      {
        grown: [
          { at: ago(70), by: 4 },
          { at: ago(50), by: 1 },
        ],
        shrunk: [{ at: now, by: 2 }],
      },
    ],
    [
      'nothing',
      5,
      5,
      {
        grown: [
          { at: ago(70), by: 4 },
          { at: ago(50), by: 1 },
        ],
      },
    ],
  ])('is %s, for the longest period', (_, from, to, expected) => {
    const history = {
      ...none,
      grown: [
        { at: ago(70), by: 4 },
        { at: ago(50), by: 1 },
      ],
    };
    const behavior = up({ policies: [pods(4, 60), percent(10, 15)] });
    expect(withChange(history, { from, to, now, behavior })).toEqual({ ...none, ...expected });
  });

  it('is nothing without a behavior', () => {
    expect(withChange(none, { from: 1, to: 5, now, behavior: undefined })).toEqual(none);
  });
});
