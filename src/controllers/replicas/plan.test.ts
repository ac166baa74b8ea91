import { describe, expect, it } from 'vitest';
import type { ReplicaSet } from '../../api/apps/v1.gen.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { nextAvailability, planReplicas, planStatus } from './plan.ts';

const now = Date.UTC(2026, 0, 1, 12);
const ago = (seconds: number): string => new Date(now - seconds * 1000).toISOString();

function replicaSet(replicas: number, spec: Partial<ReplicaSet['spec']> = {}): Live<ReplicaSet> {
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: 'web',
      namespace: 'default',
      uid: 'rs',
      resourceVersion: '1',
      creationTimestamp: ago(600),
      generation: 3,
    },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers: [] } },
      ...spec,
    },
  };
}

interface PodFacts {
  readonly phase?: 'Pending' | 'Running' | 'Succeeded' | 'Failed';
  readonly node?: string;
  readonly readySeconds?: number;
  readonly restarts?: number;
  readonly cost?: string;
  readonly deleting?: boolean;
  readonly age?: number;
  readonly labels?: Readonly<Record<string, string>>;
}

function pod(name: string, facts: PodFacts = {}): Live<Pod> {
  const {
    phase = 'Running',
    node = 'node-1',
    readySeconds,
    restarts = 0,
    cost,
    deleting,
    age = 300,
    labels,
  } = facts;
  const ready =
    readySeconds === undefined
      ? []
      : [{ type: 'Ready', status: 'True', lastTransitionTime: ago(readySeconds) }];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: 'default',
      uid: name,
      resourceVersion: '1',
      creationTimestamp: ago(age),
      labels: labels ?? { app: 'web' },
      ...(cost !== undefined && { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } }),
      ...(deleting && { deletionTimestamp: ago(1) }),
    },
    spec: { containers: [], ...(node !== '' && { nodeName: node }) },
    status: {
      phase,
      conditions: ready,
      containerStatuses: [{ name: 'c', image: '', imageID: '', ready: true, restartCount: restarts }],
    },
  };
}

describe('planReplicas', () => {
  it.each<[string, number, Live<Pod>[], number]>([
    ['creates what is missing', 3, [pod('a')], 2],
    ['does not count finished pods', 1, [pod('a', { phase: 'Failed' })], 1],
    ['does not count pods that are being deleted', 1, [pod('a', { deleting: true })], 1],
    ['is content with the right number', 1, [pod('a', { phase: 'Pending' })], 0],
    ['creates no more than 500 at once', 900, [], 500],
  ])('%s', (_, replicas, pods, create) => {
    expect(planReplicas({ owner: replicaSet(replicas), pods, peers: pods, now })).toEqual({
      create,
      remove: [],
    });
  });

  it('does nothing for a set that is being deleted', () => {
    const set = replicaSet(2);
    const deleted = { ...set, metadata: { ...set.metadata, deletionTimestamp: ago(1) } };
    expect(planReplicas({ owner: deleted, pods: [], peers: [], now })).toEqual({
      create: 0,
      remove: [],
    });
  });

  it.each<[string, Live<Pod>[], string]>([
    [
      'a pod without a node before one with',
      [pod('a', { readySeconds: 9 }), pod('b', { node: '', phase: 'Pending' })],
      'b',
    ],
    [
      'a pending pod before a running one',
      [pod('a', { readySeconds: 9 }), pod('b', { phase: 'Pending' })],
      'b',
    ],
    ['a pod that is not ready before a ready one', [pod('a', { readySeconds: 9 }), pod('b')], 'b'],
    ['the cheaper one', [pod('a', { cost: '10' }), pod('b', { cost: '-5' })], 'b'],
    ['one on the fuller node', [pod('a', { node: 'lonely' }), pod('b'), pod('c')], 'b'],
    [
      'the one ready for a much shorter time',
      [pod('a', { readySeconds: 250 }), pod('b', { readySeconds: 5 })],
      'b',
    ],
    ['the one with more restarts', [pod('a'), pod('b', { restarts: 2 })], 'b'],
    ['the much younger one', [pod('a', { age: 500 }), pod('b', { age: 20 })], 'b'],
  ])('deletes %s', (_, pods, first) => {
    const plan = planReplicas({ owner: replicaSet(pods.length - 1), pods, peers: pods, now });
    expect(plan.remove.map(({ metadata }) => metadata.name)).toEqual([first]);
  });
});

describe('planStatus', () => {
  it('counts pods by what they are', () => {
    const pods = [
      pod('ready', { readySeconds: 60 }),
      pod('fresh', { readySeconds: 5 }),
      pod('starting', { phase: 'Pending', labels: { app: 'web', extra: 'x' } }),
      pod('going', { deleting: true, readySeconds: 60 }),
      pod('over', { phase: 'Succeeded' }),
    ];
    const set = replicaSet(3, { minReadySeconds: 10 });
    expect(planStatus({ owner: set, pods, peers: pods, now }, undefined)).toEqual({
      replicas: 3,
      fullyLabeledReplicas: 3,
      readyReplicas: 2,
      availableReplicas: 1,
      terminatingReplicas: 1,
      observedGeneration: 3,
    });
  });

  it('reports why pods cannot be created, and forgets it afterwards', () => {
    const failure = { reason: 'FailedCreate', message: 'exceeded quota' } as const;
    const failing = planStatus({ owner: replicaSet(1), pods: [], peers: [], now }, failure);
    const recovered = { ...replicaSet(1), status: failing };
    expect([
      failing.conditions,
      planStatus({ owner: recovered, pods: [], peers: [], now }, undefined).conditions,
    ]).toEqual([
      [{ type: 'ReplicaFailure', status: 'True', lastTransitionTime: '2026-01-01T12:00:00Z', ...failure }],
      undefined,
    ]);
  });
});

describe('nextAvailability', () => {
  it.each<[string, Live<Pod>[], number | undefined]>([
    ['the soonest of the ready pods', [pod('a', { readySeconds: 4 }), pod('b', { readySeconds: 7 })], 3000],
    ['nothing while none is ready', [pod('a')], undefined],
    ['nothing when all are available', [pod('a', { readySeconds: 30 })], undefined],
  ])('waits for %s', (_, pods, ms) => {
    const set = replicaSet(2, { minReadySeconds: 10 });
    expect(nextAvailability({ owner: set, pods, peers: pods, now })).toBe(ms);
  });
});
