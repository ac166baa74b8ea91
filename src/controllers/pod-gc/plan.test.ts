import { describe, expect, it } from 'vitest';
import type { Node, Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { planPodRemovals } from './plan.ts';

interface Draft {
  readonly node?: string;
  readonly phase?: 'Running' | 'Succeeded' | 'Failed';
  readonly reason?: string;
  readonly deleted?: true;
  readonly created?: number;
}

const pod = (name: string, { node, phase = 'Running', reason, deleted, created = 0 }: Draft): Live<Pod> => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name,
    uid: name,
    resourceVersion: '1',
    creationTimestamp: `2026-01-01T00:00:0${created}Z`,
    ...(deleted && { deletionTimestamp: '2026-01-01T00:00:00Z' }),
  },
  spec: { containers: [], ...(node !== undefined && { nodeName: node }) },
  status: { phase, ...(reason !== undefined && { reason }) },
});

const nodes: Readonly<Record<string, Live<Node>>> = Object.fromEntries(
  [
    ['up', 'True', 'node.kubernetes.io/out-of-service'],
    ['down', 'Unknown', 'node.kubernetes.io/unreachable'],
    ['broken', 'False', 'node.kubernetes.io/out-of-service'],
  ].map(([name = '', status = '', key = '']) => [
    name,
    {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: '' },
      spec: { taints: [{ key, effect: 'NoExecute' }] },
      status: { conditions: [{ type: 'Ready', status }] },
    },
  ]),
);

describe('planPodRemovals', () => {
  it.each<[string, readonly Live<Pod>[], readonly string[]]>([
    ['leaves running pods alone', [pod('a', { node: 'up' }), pod('b', {})], []],
    [
      'takes pods of nodes that are gone, finished or not',
      [pod('a', { node: 'gone' }), pod('b', { node: 'gone', phase: 'Failed' })],
      ['a orphaned', 'b orphaned'],
    ],
    ['waits for a node that may come back', [pod('a', { node: 'missing' })], []],
    ['takes deleted pods that never got a node', [pod('a', { deleted: true })], ['a unscheduled']],
    [
      'takes deleted pods of a node out of service',
      [pod('a', { node: 'broken', deleted: true }), pod('b', { node: 'broken' })],
      ['a out-of-service'],
    ],
    [
      'trusts a ready node whatever its taints',
      [pod('a', { node: 'up', deleted: true }), pod('b', { node: 'down', deleted: true })],
      [],
    ],
    [
      'takes the oldest finished pods above the limit, evicted ones first',
      [
        pod('a', { node: 'up', phase: 'Succeeded', created: 1 }),
        pod('b', { node: 'up', phase: 'Failed', created: 2 }),
        pod('c', { node: 'up', phase: 'Failed', reason: 'Evicted', created: 3 }),
        pod('d', { node: 'up', phase: 'Succeeded', created: 4 }),
      ],
      ['c finished', 'a finished'],
    ],
    [
      'does not count finished pods that are being deleted',
      [
        pod('a', { node: 'up', phase: 'Succeeded', deleted: true }),
        pod('b', { node: 'up', phase: 'Succeeded' }),
        pod('c', { node: 'up', phase: 'Succeeded' }),
      ],
      [],
    ],
  ])('%s', (_, pods, removed) => {
    const removals = planPodRemovals({
      pods,
      finishedLimit: 2,
      node: (name) => nodes[name],
      nodeIsGone: (name) => name === 'gone',
    });
    expect(removals.map((removal) => `${removal.pod.metadata.name} ${removal.why}`)).toEqual(removed);
  });
});
