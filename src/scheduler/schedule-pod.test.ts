import { describe, expect, it } from 'vitest';
import type { Node, Pod, PodSpec } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import { tryPod } from './try-pod.ts';

const creationTimestamp = '2026-01-01T00:00:00Z';

interface NodeFacts {
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: Node['spec'];
  readonly cpu?: string;
  readonly pods?: string;
  readonly extended?: Readonly<Record<string, string>>;
}

function node(
  name: string,
  { labels = {}, spec = {}, cpu = '4', pods = '110', extended }: NodeFacts = {},
): Live<Node> {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      uid: name,
      resourceVersion: '1',
      creationTimestamp,
      labels: { 'kubernetes.io/hostname': name, ...labels },
    },
    spec,
    status: { allocatable: { cpu, memory: '8Gi', pods, ...extended } },
  };
}

function pod(
  name: string,
  spec: Partial<PodSpec> = {},
  labels: Readonly<Record<string, string>> = {},
): Live<Pod> {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', uid: name, resourceVersion: '1', creationTimestamp, labels },
    spec: { containers: [{ name: 'c' }], ...spec },
  };
}

const requests = (list: Readonly<Record<string, string>>): Partial<PodSpec> => ({
  containers: [{ name: 'c', resources: { requests: list } }],
});

/** Where the pod goes, or the sentence about why not. */
function place(
  subject: Live<Pod>,
  nodes: readonly Live<Node>[],
  placed: readonly (readonly [Live<Pod>, string])[] = [],
): string {
  return tryPod(subject, { nodes, placed });
}

function refused(nodes: number, reasons: string, preemption: string): string {
  const available = `0/${nodes} nodes are available:`;
  return `${available} ${reasons}. no new claims to deallocate, preemption: ${available} ${preemption}.`;
}

const unhelpful = 'Preemption is not helpful for scheduling';
const noVictims = 'No preemption victims found for incoming pod';

describe('placePod', () => {
  it.each<[string, Live<Pod>, Live<Node>[], string]>([
    ['says that there are no nodes', pod('p'), [], 'no nodes available to schedule pods'],
    ['passes over cordoned nodes', pod('p'), [node('a', { spec: { unschedulable: true } }), node('b')], 'b'],
    [
      'places a tolerating pod on a cordoned node',
      pod('p', { tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }] }),
      [node('a', { spec: { unschedulable: true } })],
      'a',
    ],
    [
      'tells of taints',
      pod('p'),
      [node('a', { spec: { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] } })],
      refused(1, '1 node(s) had untolerated taint(s)', `1 ${unhelpful}`),
    ],
    [
      'prefers nodes without soft taints',
      pod('p'),
      [node('a', { spec: { taints: [{ key: 'k', effect: 'PreferNoSchedule' }] } }), node('b')],
      'b',
    ],
    [
      'honours nodeSelector',
      pod('p', { nodeSelector: { disk: 'ssd' } }),
      [node('a'), node('b', { labels: { disk: 'ssd' } })],
      'b',
    ],
    [
      'honours required node affinity',
      pod('p', {
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: {
              nodeSelectorTerms: [{ matchExpressions: [{ key: 'cores', operator: 'Gt', values: ['8'] }] }],
            },
          },
        },
      }),
      [node('a', { labels: { cores: '8' } }), node('b')],
      refused(2, "2 node(s) didn't match Pod's node affinity/selector", `2 ${unhelpful}`),
    ],
    [
      'prefers preferred nodes',
      pod('p', {
        affinity: {
          nodeAffinity: {
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 10, preference: { matchExpressions: [{ key: 'disk', operator: 'Exists' }] } },
            ],
          },
        },
      }),
      [node('a'), node('b', { labels: { disk: 'ssd' } })],
      'b',
    ],
    [
      'rejects what no node could ever hold',
      pod('p', requests({ cpu: '5' })),
      [node('a')],
      refused(1, '1 Insufficient cpu', `1 ${unhelpful}`),
    ],
    [
      'counts extended resources',
      pod('p', requests({ 'example.com/gpu': '1' })),
      [node('a'), node('b', { extended: { 'example.com/gpu': '2' } })],
      'b',
    ],
    [
      'honours a node name',
      pod('p', { nodeName: 'c' }),
      [node('a')],
      refused(1, "1 node(s) didn't match the requested node name", `1 ${unhelpful}`),
    ],
  ])('%s', (_, subject, nodes, expected) => {
    expect(place(subject, nodes)).toBe(expected);
  });

  it('counts what is placed already', () => {
    const big = pod('big', requests({ cpu: '3' }));
    expect(place(pod('p', requests({ cpu: '2' })), [node('a')], [[big, 'a']])).toBe(
      refused(1, '1 Insufficient cpu', `1 ${noVictims}`),
    );
  });

  it('takes the larger of init containers and containers', () => {
    const heavyStart = pod('p', {
      ...requests({ cpu: '1' }),
      initContainers: [{ name: 'i', resources: { requests: { cpu: '4500m' } } }],
    });
    expect(place(heavyStart, [node('a')])).toBe(refused(1, '1 Insufficient cpu', `1 ${unhelpful}`));
  });

  it('gives several reasons, sorted', () => {
    const full = node('a', { pods: '1' });
    const cordoned = node('b', { spec: { unschedulable: true } });
    expect(place(pod('p', requests({ memory: '9Gi' })), [full, cordoned], [[pod('x'), 'a']])).toBe(
      refused(2, '1 Insufficient memory, 1 Too many pods, 1 node(s) were unschedulable', `2 ${unhelpful}`),
    );
  });

  it('spreads load over equal nodes', () => {
    const busy = pod('busy', requests({ cpu: '2' }));
    expect(place(pod('p', requests({ cpu: '1' })), [node('a'), node('b')], [[busy, 'a']])).toBe('b');
  });

  it.each<[string, string | undefined, string]>([
    [
      'the same port of the same address',
      undefined,
      refused(1, "1 node(s) didn't have free ports for the requested pod ports", `1 ${noVictims}`),
    ],
    ['another address', '127.0.0.2', 'a'],
  ])('keeps host ports apart: %s', (_, hostIP, expected) => {
    const port = (ip: string | undefined): Partial<PodSpec> => ({
      containers: [
        { name: 'c', ports: [{ containerPort: 80, hostPort: 80, ...(ip !== undefined && { hostIP: ip }) }] },
      ],
    });
    expect(place(pod('p', port(hostIP)), [node('a')], [[pod('x', port('127.0.0.1')), 'a']])).toBe(expected);
  });

  it('keeps pods apart that must not share a node, in both directions', () => {
    const apart: Partial<PodSpec> = {
      affinity: {
        podAntiAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'db' } } },
          ],
        },
      },
    };
    const first = pod('first', apart, { app: 'db' });
    expect([
      place(pod('p', apart, { app: 'db' }), [node('a'), node('b')], [[first, 'a']]),
      place(pod('p', {}, { app: 'db' }), [node('a')], [[first, 'a']]),
    ]).toEqual([
      'b',
      refused(1, "1 node(s) didn't satisfy existing pods anti-affinity rules", `1 ${noVictims}`),
    ]);
  });

  it('brings pods together that belong together', () => {
    const near: Partial<PodSpec> = {
      affinity: {
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: 'zone', labelSelector: { matchLabels: { app: 'cache' } } },
          ],
        },
      },
    };
    const nodes = [node('a', { labels: { zone: 'x' } }), node('b', { labels: { zone: 'y' } })];
    expect([
      place(pod('p', near), nodes, [[pod('c', {}, { app: 'cache' }), 'b']]),
      place(pod('p', near, { app: 'cache' }), nodes.slice(0, 1)),
      place(pod('p', near), nodes.slice(0, 1)),
    ]).toEqual(['b', 'a', refused(1, "1 node(s) didn't match pod affinity rules", `1 ${unhelpful}`)]);
  });

  it('keeps the skew between zones', () => {
    const spread: Partial<PodSpec> = {
      topologySpreadConstraints: [
        {
          maxSkew: 1,
          topologyKey: 'zone',
          whenUnsatisfiable: 'DoNotSchedule',
          labelSelector: { matchLabels: { app: 'w' } },
        },
      ],
    };
    const nodes = [node('a', { labels: { zone: 'x' } }), node('b', { labels: { zone: 'y' } })];
    expect(place(pod('p', spread, { app: 'w' }), nodes, [[pod('o', {}, { app: 'w' }), 'a']])).toBe('b');
  });
});
