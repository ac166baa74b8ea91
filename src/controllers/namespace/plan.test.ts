import { describe, expect, it } from 'vitest';
import type { Namespace } from '../../api/core/v1.gen.ts';
import { isEmpty, planConditions, type NamespaceContent } from './plan.ts';

const nothing: NamespaceContent = { failures: [], remaining: new Map(), finalizers: new Map() };
const leaving: Namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'n' }, spec: {} };
const now = Date.parse('2026-01-01T00:00:00Z');

describe('planConditions', () => {
  it.each<[string, Partial<NamespaceContent>, { type: string; reason: string; message: string }]>([
    [
      'discovery that fails',
      { discoveryFailure: 'metrics.k8s.io/v1beta1: unavailable' },
      {
        type: 'NamespaceDeletionDiscoveryFailure',
        reason: 'DiscoveryFailed',
        message: 'Discovery failed for some groups: metrics.k8s.io/v1beta1: unavailable',
      },
    ],
    [
      'deletions that fail',
      { failures: ['admission webhook "w" denied the request', 'a is forbidden'] },
      {
        type: 'NamespaceDeletionContentFailure',
        reason: 'ContentDeletionFailed',
        message:
          'Failed to delete all resource types, 2 remaining: a is forbidden, admission webhook "w" denied the request',
      },
    ],
    [
      'objects that linger',
      {
        remaining: new Map([
          ['pods.', 2],
          ['deployments.apps', 1],
        ]),
      },
      {
        type: 'NamespaceContentRemaining',
        reason: 'SomeResourcesRemain',
        message:
          'Some resources are remaining: deployments.apps has 1 resource instances, pods. has 2 resource instances',
      },
    ],
    [
      'finalizers',
      {
        finalizers: new Map([
          ['b.example/two', 3],
          ['a.example/one', 1],
        ]),
      },
      {
        type: 'NamespaceFinalizersRemaining',
        reason: 'SomeFinalizersRemain',
        message:
          'Some content in the namespace has finalizers remaining: a.example/one in 1 resource instances, b.example/two in 3 resource instances',
      },
    ],
  ])('tells of %s', (_, content, problem) => {
    const conditions = planConditions(leaving, { ...nothing, ...content }, now);
    expect(conditions.filter(({ status }) => status === 'True')).toEqual([
      { ...problem, status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' },
    ]);
    expect(conditions).toHaveLength(5);
  });

  it('keeps the time of what stays as it was, and gives a new one to what turns', () => {
    const before = planConditions(leaving, { ...nothing, remaining: new Map([['pods.', 1]]) }, now);
    const after = planConditions({ ...leaving, status: { conditions: before } }, nothing, now + 60_000);
    expect(after.map(({ type, lastTransitionTime }) => [type, lastTransitionTime])).toEqual([
      ['NamespaceDeletionDiscoveryFailure', '2026-01-01T00:00:00Z'],
      ['NamespaceDeletionGroupVersionParsingFailure', '2026-01-01T00:00:00Z'],
      ['NamespaceDeletionContentFailure', '2026-01-01T00:00:00Z'],
      ['NamespaceContentRemaining', '2026-01-01T00:01:00Z'],
      ['NamespaceFinalizersRemaining', '2026-01-01T00:00:00Z'],
    ]);
  });
});

describe('isEmpty', () => {
  it.each<[string, Partial<NamespaceContent>, boolean]>([
    ['nothing is left', {}, true],
    ['something lingers', { remaining: new Map([['pods.', 1]]) }, false],
    ['a deletion failed', { failures: ['no'] }, false],
    ['it is not known what there is', { discoveryFailure: 'no' }, false],
  ])('%s', (_, content, expected) => {
    expect(isEmpty({ ...nothing, ...content })).toBe(expected);
  });
});
