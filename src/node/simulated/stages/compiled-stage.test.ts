import { describe, expect, it } from 'vitest';
import { jqCompiler } from '../../../machinery/jq/jq-query.ts';
import type { KubeObject } from '../../../machinery/object.ts';
import type { Stage, StageSpec } from '../kwok/stage.ts';
import { celExpressions } from './cel-expressions.ts';
import { chooseStage, compileStage, type CompiledStage } from './compiled-stage.ts';

const NOW = Date.UTC(2026, 0, 1);
const languages = { jq: jqCompiler({ now: () => NOW }), cel: () => celExpressions(['self']) };

function stage(spec: Partial<StageSpec>, name = 's'): Stage {
  return {
    apiVersion: 'kwok.x-k8s.io/v1alpha1',
    kind: 'Stage',
    metadata: { name },
    spec: { resourceRef: { kind: 'Pod' }, selector: {}, next: {}, ...spec },
  };
}

function compiled(spec: Partial<StageSpec>, name = 's'): CompiledStage {
  const found = compileStage(stage(spec, name), languages);
  if (!found) throw new Error('matches nothing');
  return found;
}

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'p',
    labels: { app: 'x' },
    annotations: { wait: '3s', until: '2026-01-01T00:00:10Z', weight: '7', 'kwok.x-k8s.io/a': 'b' },
  },
  spec: { hostNetwork: true, priority: 5 },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
} satisfies KubeObject & { readonly spec: object; readonly status: object };

describe('selectors', () => {
  it.each<[string, StageSpec['selector'], boolean]>([
    ['an empty one matches', {}, true],
    ['labels', { matchLabels: { app: 'x' } }, true],
    ['other labels', { matchLabels: { app: 'y' } }, false],
    ['a condition', { matchExpressions: [{ expression: 'self.status.phase == "Running"' }] }, true],
    ['annotations', { matchAnnotations: { 'kwok.x-k8s.io/a': 'b' } }, true],
    ['In', { matchExpressions: [{ key: '.status.phase', operator: 'In', values: ['Running'] }] }, true],
    [
      'NotIn',
      { matchExpressions: [{ key: '.status.phase', operator: 'NotIn', values: ['Running'] }] },
      false,
    ],
    [
      'NotIn of nothing',
      { matchExpressions: [{ key: '.status.nope', operator: 'NotIn', values: ['a'] }] },
      true,
    ],
    ['Exists', { matchExpressions: [{ key: '.status.phase', operator: 'Exists' }] }, true],
    ['Exists of null', { matchExpressions: [{ key: '.status.podIP', operator: 'Exists' }] }, false],
    [
      'DoesNotExist',
      { matchExpressions: [{ key: '.metadata.deletionTimestamp', operator: 'DoesNotExist' }] },
      true,
    ],
    [
      'a failing expression counts as absent',
      { matchExpressions: [{ key: '.metadata.name.x', operator: 'DoesNotExist' }] },
      true,
    ],
    [
      'a condition by type',
      {
        matchExpressions: [
          {
            key: '.status.conditions.[] | select( .type == "Ready" ) | .status',
            operator: 'In',
            values: ['True'],
          },
        ],
      },
      true,
    ],
    [
      'booleans and numbers',
      {
        matchExpressions: [
          { key: '.spec.hostNetwork', operator: 'In', values: ['true'] },
          { key: '.spec.priority', operator: 'In', values: ['5'] },
        ],
      },
      true,
    ],
    ['jq', { matchExpressions: [{ jq: { key: '.status.phase', operator: 'Exists' } }] }, true],
    ['CEL', { matchExpressions: [{ cel: { expression: 'self.spec.priority > 4' } }] }, true],
  ])('%s', (_, selector, expected) => {
    expect(compiled({ ...(selector && { selector }) }).matches(pod)).toBe(expected);
  });

  it('without one nothing matches', () => {
    const { selector: _selector, ...spec } = stage({}).spec;
    expect(compileStage({ ...stage({}), spec }, languages)).toBeUndefined();
  });

  it.each([
    [{ key: '.a', operator: 'In' }, 'needs values'],
    [{ key: '.a', operator: 'Exists', values: ['x'] }, 'takes no values'],
    [{ key: '.a', operator: 'Near' }, 'is not supported'],
    [{ key: '.a |', operator: 'Exists' }, 'unexpected end'],
  ])('%j is wrong', (requirement, message) => {
    expect(() => compiled({ selector: { matchExpressions: [requirement] } })).toThrow(message);
  });
});

describe('delays', () => {
  it.each<[string, StageSpec['delay'], number, number]>([
    ['none', undefined, 0.5, 0],
    ['fixed', { durationMilliseconds: 1000 }, 0.5, 1000],
    ['with jitter', { durationMilliseconds: 1000, jitterDurationMilliseconds: 3000 }, 0.5, 2000],
    ['jitter below it', { durationMilliseconds: 1000, jitterDurationMilliseconds: 300 }, 0.5, 300],
    [
      'a duration of the object',
      { durationMilliseconds: 1, durationFrom: { expressionFrom: '.metadata.annotations.wait' } },
      0,
      3000,
    ],
    ['a time of the object', { durationFrom: { expressionFrom: '.metadata.annotations.until' } }, 0, 10_000],
    [
      'what is no duration falls back',
      { durationMilliseconds: 7, durationFrom: { expressionFrom: '.metadata.name' } },
      0,
      7,
    ],
    ['absent falls back', { durationMilliseconds: 7, durationFrom: { expressionFrom: '.nope' } }, 0, 7],
    ['jq', { durationFrom: { jq: { expression: '.metadata.annotations.wait' } } }, 0, 3000],
    ['CEL', { durationFrom: { cel: { expression: 'duration("2s")' } } }, 0, 2000],
    [
      'jitter of the object',
      { durationMilliseconds: 1000, jitterDurationFrom: { expressionFrom: '.metadata.annotations.wait' } },
      0.25,
      1500,
    ],
  ])('%s', (_, delay, random, expected) => {
    expect(compiled({ ...(delay && { delay }) }).delay(pod, NOW, random)).toBe(expected);
  });
});

describe('choices', () => {
  const weighted = (...weights: (number | string)[]): CompiledStage[] =>
    weights.map((weight, at) =>
      compiled(
        typeof weight === 'number'
          ? { weight }
          : { weight: 1, weightFrom: { expressionFrom: `.metadata.annotations.${weight}` } },
        `s${at}`,
      ),
    );
  it.each<[string, CompiledStage[], number, string]>([
    ['equally without weights', weighted(0, 0), 0.6, 's1'],
    ['by weight', weighted(1, 3), 0.3, 's1'],
    ['by weight, the first', weighted(1, 3), 0.2, 's0'],
    ['never those of weight 0', weighted(0, 1), 0, 's1'],
    ['by a weight of the object', weighted('weight', 1), 0.8, 's0'],
    ['not those whose weight is no number', weighted('wait', 0), 0, 's1'],
  ])('%s', (_, stages, random, expected) => {
    expect(chooseStage(stages, pod, () => random)?.name).toBe(expected);
  });
});
