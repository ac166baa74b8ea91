import { describe, expect, it } from 'vitest';
import { configmaps } from '../../api/core/v1.gen.ts';
import type { OwnerReference } from '../../machinery/meta/v1.gen.ts';
import type { KubeObject, Live } from '../../machinery/object.ts';
import { OwnerGraph } from './owner-graph.ts';
import { planCollection, type CollectionPlan, type OwnerState } from './plan.ts';

function reference(uid: string, blockOwnerDeletion: boolean = false): OwnerReference {
  return { apiVersion: 'v1', kind: 'ConfigMap', name: uid, uid, blockOwnerDeletion };
}

interface Facts {
  readonly owners?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
  readonly deleting?: boolean;
}

function object(uid: string, { owners, finalizers, deleting }: Facts = {}): Live<KubeObject> {
  const creationTimestamp = '2026-01-01T00:00:00Z';
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: uid,
      namespace: 'default',
      uid,
      resourceVersion: '1',
      creationTimestamp,
      ...(owners && { ownerReferences: owners }),
      ...(finalizers && { finalizers }),
      ...(deleting && { deletionTimestamp: creationTimestamp }),
    },
  };
}

/** What each change in turn gives reason to look at. */
function attention(...changes: readonly (Live<KubeObject> | string)[]): string[][] {
  const graph = new OwnerGraph();
  return changes.map((change) =>
    [...(typeof change === 'string' ? graph.remove(change) : graph.upsert(configmaps, change))].sort(),
  );
}

describe('OwnerGraph', () => {
  it.each<[string, (Live<KubeObject> | string)[], string[][]]>([
    ['an owner that nobody has seen', [object('child', { owners: [reference('parent')] })], [['parent']]],
    [
      'nothing when the owner is known',
      [object('parent'), object('child', { owners: [reference('parent')] })],
      [[], []],
    ],
    [
      'the dependents of what is gone',
      [
        object('parent'),
        object('a', { owners: [reference('parent')] }),
        object('b', { owners: [reference('parent')] }),
        'parent',
      ],
      [[], [], [], ['a', 'b']],
    ],
    [
      'an owner and its dependents when it begins to wait for them',
      [
        object('p'),
        object('a', { owners: [reference('p', true)] }),
        object('p', { deleting: true, finalizers: ['foregroundDeletion'] }),
      ],
      [[], [], ['a', 'p']],
    ],
    [
      'a waiting owner when a dependent is gone',
      [
        object('p', { deleting: true, finalizers: ['foregroundDeletion'] }),
        object('a', { owners: [reference('p', true)] }),
        'a',
      ],
      [['p'], ['a'], ['p']],
    ],
    [
      'a waiting owner when a dependent stops blocking',
      [
        object('p', { deleting: true, finalizers: ['foregroundDeletion'] }),
        object('a', { owners: [reference('p', true)] }),
        object('a', { owners: [reference('p')] }),
      ],
      [['p'], ['a'], ['p']],
    ],
    [
      'an owner that is to be orphaned',
      [object('p'), object('p', { deleting: true, finalizers: ['orphan'] })],
      [[], ['p']],
    ],
  ])('draws attention to %s', (_, changes, expected) => {
    expect(attention(...changes)).toEqual(expected);
  });
});

describe('planCollection', () => {
  const states: Record<string, OwnerState> = {
    here: 'present',
    gone: 'absent',
    waiting: 'waiting for dependents',
  };

  function plan(subject: Live<KubeObject>, ...dependents: Live<KubeObject>[]): CollectionPlan {
    const graph = new OwnerGraph();
    for (const one of [subject, ...dependents]) graph.upsert(configmaps, one);
    const node = graph.get(subject.metadata.uid);
    if (!node) throw new Error('the graph lost the subject');
    return planCollection(subject, node, ({ uid }) => states[uid] ?? 'present');
  }

  it.each<[string, Live<KubeObject>[], CollectionPlan]>([
    ['keeps what has no owner', [object('x')], { action: 'keep' }],
    ['keeps what has an owner', [object('x', { owners: [reference('here')] })], { action: 'keep' }],
    [
      'deletes what lost its only owner',
      [object('x', { owners: [reference('gone')] })],
      { action: 'delete', propagation: 'Background', unblock: false },
    ],
    [
      'drops the lost one of two owners',
      [object('x', { owners: [reference('gone'), reference('here')] })],
      { action: 'drop references', keep: [reference('here')] },
    ],
    [
      'orphans the dependents of what asks for it',
      [object('x', { owners: [reference('gone')], finalizers: ['orphan'] })],
      { action: 'delete', propagation: 'Orphan', unblock: false },
    ],
    [
      'passes waiting on to dependents that have dependents',
      [
        object('x', { owners: [reference('waiting', true)] }),
        object('y', { owners: [reference('x', true)] }),
      ],
      { action: 'delete', propagation: 'Foreground', unblock: false },
    ],
    [
      'breaks a circle of objects that wait for each other',
      [
        object('x', { owners: [reference('waiting', true)] }),
        object('waiting', {
          owners: [reference('x', true)],
          deleting: true,
          finalizers: ['foregroundDeletion'],
        }),
      ],
      { action: 'delete', propagation: 'Foreground', unblock: true },
    ],
  ])('%s', (_, [subject, ...dependents], expected) => {
    expect(subject && plan(subject, ...dependents)).toEqual(expected);
  });
});
