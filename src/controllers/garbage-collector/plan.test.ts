import { describe, expect, it } from 'vitest';
import type { KubeObject, Live } from '../../machinery/object.ts';
import type { GraphNode } from './owner-graph.ts';
import { planCollection, type CollectionPlan, type OwnerState } from './plan.ts';

const owner = (uid: string): { apiVersion: string; kind: string; name: string; uid: string } => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  name: uid,
  uid,
});

function object(owners: readonly string[], finalizers?: readonly string[]): Live<KubeObject> {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: 'x',
      namespace: 'n',
      uid: 'x',
      resourceVersion: '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ownerReferences: owners.map(owner),
      ...(finalizers && { finalizers }),
    },
  };
}

function node(dependents: readonly GraphNode['deletion'][] = []): GraphNode {
  const identity = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'x' };
  const alone = { identity, type: undefined, owners: [], dependents: new Set<GraphNode>() };
  const below = new Set(dependents.map((deletion) => ({ ...alone, deletion })));
  return { ...alone, dependents: below, deletion: 'none' };
}

const states: Readonly<Record<string, OwnerState>> = {
  here: 'present',
  gone: 'absent',
  waits: 'waiting for dependents',
};

describe('planCollection', () => {
  it.each<[string, readonly string[], GraphNode, CollectionPlan, (readonly string[])?]>([
    ['keeps what nobody owns', [], node(), { action: 'keep' }],
    ['keeps what an owner holds', ['here'], node(), { action: 'keep' }],
    [
      'drops references to owners that are gone while another remains',
      ['gone', 'here'],
      node(),
      { action: 'drop references', keep: [owner('here')] },
    ],
    [
      'drops those to owners that wait for it, too',
      ['waits', 'here'],
      node(['none']),
      { action: 'drop references', keep: [owner('here')] },
    ],
    [
      'deletes in the background what lost its last owner',
      ['gone'],
      node(['none']),
      { action: 'delete', propagation: 'Background', unblock: false },
    ],
    [
      'deletes dependents first when its owner waits for that',
      ['waits'],
      node(['none']),
      { action: 'delete', propagation: 'Foreground', unblock: false },
    ],
    [
      'breaks a circle of objects that wait for each other',
      ['waits'],
      node(['waiting for dependents']),
      { action: 'delete', propagation: 'Foreground', unblock: true },
    ],
    [
      'needs no second wait without dependents',
      ['waits'],
      node(),
      { action: 'delete', propagation: 'Background', unblock: false },
    ],
    [
      'orphans as its own finalizer says',
      ['gone'],
      node(['none']),
      { action: 'delete', propagation: 'Orphan', unblock: false },
      ['orphan'],
    ],
    [
      'goes on in the foreground as its own finalizer says',
      ['gone'],
      node(['none']),
      { action: 'delete', propagation: 'Foreground', unblock: false },
      ['foregroundDeletion'],
    ],
  ])('%s', (...[, owners, graph, expected, finalizers]) => {
    expect(planCollection(object(owners, finalizers), graph, ({ uid }) => states[uid] ?? 'absent')).toEqual(
      expected,
    );
  });
});
