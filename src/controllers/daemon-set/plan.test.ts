import { describe, expect, it } from 'vitest';
import type { DaemonSet, DaemonSetSpec } from '../../api/apps/v1.gen.ts';
import type { Affinity, Node, Pod, PodSpec, Taint } from '../../api/core/v1.gen.ts';
import type { Live, LiveMeta } from '../../machinery/object.ts';
import { daemonTemplate, placementOf, targetNode } from './placement.ts';
import { nodePods, planPlacement, type DaemonSetObservation, type DaemonSetPlan } from './plan.ts';
import { planRolling } from './rolling.ts';
import { nextAvailability, planStatus } from './status.ts';

const now = Date.UTC(2026, 0, 1, 12);
const ago = (seconds: number): string => new Date(now - seconds * 1000).toISOString();
const meta = (name: string, age: number = 600): LiveMeta => ({
  name,
  uid: name,
  resourceVersion: '1',
  creationTimestamp: ago(age),
});

/** `n1 role=db !key=value:NoSchedule`: a node with labels and taints. */
function node(text: string): Live<Node> {
  const [name = '', ...words] = text.split(' ');
  const labels = words.filter((word) => !word.startsWith('!')).map((word) => word.split('='));
  const taints = words.flatMap((word): Taint[] => {
    const match = /^!([^=:]+)(?:=([^:]*))?:(NoSchedule|NoExecute|PreferNoSchedule)$/.exec(word);
    const [, key = '', value, effect] = match ?? [];
    return effect === 'NoSchedule' || effect === 'NoExecute' || effect === 'PreferNoSchedule'
      ? [{ key, effect, ...(value !== undefined && { value }) }]
      : [];
  });
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { ...meta(name), labels: Object.fromEntries(labels) as Record<string, string> },
    spec: { taints },
  };
}

/**
 * `a n1 old ready`: pod `a` on node `n1`. Further words: `new`, `unready`, `fresh` (ready for 5 s), `failed`, `succeeded`,
 * `deleting`, `young`, `unscheduled`.
 */
function pod(text: string): Live<Pod> {
  const [name = '', nodeName = '', ...words] = text.split(' ');
  const says = (word: string): boolean => words.includes(word);
  const { spec } = daemonTemplate({ spec: { containers: [] } }, nodeName);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...meta(name, says('young') ? 60 : 600),
      namespace: 'default',
      labels: { 'controller-revision-hash': says('new') ? 'new' : 'old' },
      ...(says('deleting') && { deletionTimestamp: ago(1) }),
    },
    spec: { ...spec, ...(!says('unscheduled') && { nodeName }) },
    status: {
      phase: says('failed') ? 'Failed' : says('succeeded') ? 'Succeeded' : 'Running',
      conditions: [
        {
          type: 'Ready',
          status: says('ready') || says('fresh') ? 'True' : 'False',
          lastTransitionTime: ago(says('fresh') ? 5 : 300),
        },
      ],
    },
  };
}

interface Facts {
  readonly nodes?: readonly string[];
  readonly spec?: Partial<DaemonSetSpec>;
  readonly pod?: Partial<PodSpec>;
  readonly backoff?: number;
}

function observe(pods: readonly string[], facts: Facts = {}): DaemonSetObservation {
  const set: Live<DaemonSet> = {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { ...meta('ds'), namespace: 'default', generation: 4 },
    spec: {
      selector: {},
      template: { spec: { containers: [], ...facts.pod } },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
      ...facts.spec,
    },
  };
  return {
    set,
    nodes: (facts.nodes ?? ['n1', 'n2', 'n3']).map(node),
    pods: pods.map(pod),
    newest: {
      apiVersion: 'apps/v1',
      kind: 'ControllerRevision',
      metadata: { name: 'ds-new', labels: { 'controller-revision-hash': 'new' } },
      revision: 2,
    },
    backoffMs: () => facts.backoff ?? 0,
    now,
  };
}

function inWords({ create, remove, waitMs }: DaemonSetPlan): readonly string[] {
  return [
    ...create.map((name) => `create on ${name}`),
    ...remove.map(({ pod: { metadata }, ended }) => `delete ${metadata.name}${ended ? ` (${ended})` : ''}`),
    ...(waitMs === undefined ? [] : [`wait ${waitMs}`]),
  ];
}

const rolling = (maxUnavailable: number | string, maxSurge: number | string = 0): Partial<DaemonSetSpec> => ({
  updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable, maxSurge } },
});
const surging: Facts = { nodes: ['n1'], spec: rolling(0, 1) };
const required = (key: string, ...values: readonly string[]): Affinity => ({
  nodeAffinity: {
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'In', values }] }],
    },
  },
});

describe('a node', () => {
  it.each([
    ['n1', {}, 'run'],
    ['n1', { nodeName: 'n1' }, 'run'],
    ['n1', { nodeName: 'n2' }, 'leave'],
    ['n1 role=db', { nodeSelector: { role: 'db' } }, 'run'],
    ['n1 role=web', { nodeSelector: { role: 'db' } }, 'leave'],
    ['n1 role=db', { affinity: required('role', 'db', 'web') }, 'run'],
    ['n1', { affinity: required('role', 'db') }, 'leave'],
    ['n1 role=db', { affinity: required('role', 'db'), nodeSelector: { zone: 'a' } }, 'leave'],
    ['n1 !a:PreferNoSchedule', {}, 'run'],
    ['n1 !a:NoSchedule', {}, 'keep'],
    ['n1 !a:NoExecute', {}, 'leave'],
    ['n1 !a:NoSchedule !b:NoExecute', {}, 'leave'],
    ['n1 !a=x:NoSchedule', { tolerations: [{ key: 'a', value: 'x' }] }, 'run'],
    ['n1 !a=y:NoSchedule', { tolerations: [{ key: 'a', value: 'x' }] }, 'keep'],
    ['n1 !a:NoExecute', { tolerations: [{ operator: 'Exists' }] }, 'run'],
    ['n1 !node.kubernetes.io/unschedulable:NoSchedule', {}, 'run'],
    ['n1 !node.kubernetes.io/not-ready:NoExecute !node.kubernetes.io/unreachable:NoExecute', {}, 'run'],
    ['n1 !node.kubernetes.io/not-ready:NoSchedule', {}, 'keep'],
    [
      'n1 !node.kubernetes.io/disk-pressure:NoSchedule !node.kubernetes.io/pid-pressure:NoSchedule',
      {},
      'run',
    ],
    ['n1 !node.kubernetes.io/network-unavailable:NoSchedule', {}, 'keep'],
    ['n1 !node.kubernetes.io/network-unavailable:NoSchedule', { hostNetwork: true }, 'run'],
  ] as const)('%s for %j: %s', (text, spec, placement) => {
    expect(placementOf(observe([], { pod: spec }).set)(node(text))).toBe(placement);
  });
});

it('a daemon pod is pinned to its node and keeps what else it prefers', () => {
  const preferred = [
    { weight: 1, preference: { matchExpressions: [{ key: 'a', operator: 'Exists' as const }] } },
  ];
  const { spec } = daemonTemplate(
    {
      spec: {
        containers: [],
        affinity: {
          nodeAffinity: {
            ...required('role', 'db').nodeAffinity,
            preferredDuringSchedulingIgnoredDuringExecution: preferred,
          },
        },
        tolerations: [
          { key: 'own', operator: 'Exists' },
          {
            key: 'node.kubernetes.io/not-ready',
            operator: 'Exists',
            effect: 'NoExecute',
            tolerationSeconds: 5,
          },
        ],
      },
    },
    'n7',
  );
  expect(targetNode({ apiVersion: 'v1', kind: 'Pod', metadata: {}, spec })).toBe('n7');
  expect(spec.affinity?.nodeAffinity).toEqual({
    preferredDuringSchedulingIgnoredDuringExecution: preferred,
    requiredDuringSchedulingIgnoredDuringExecution: {
      nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n7'] }] }],
    },
  });
  expect(
    spec.tolerations?.map(({ key, effect, tolerationSeconds }) => [key, effect, tolerationSeconds]),
  ).toEqual([
    ['own', undefined, undefined],
    ['node.kubernetes.io/not-ready', 'NoExecute', undefined],
    ['node.kubernetes.io/unreachable', 'NoExecute', undefined],
    ['node.kubernetes.io/disk-pressure', 'NoSchedule', undefined],
    ['node.kubernetes.io/memory-pressure', 'NoSchedule', undefined],
    ['node.kubernetes.io/pid-pressure', 'NoSchedule', undefined],
    ['node.kubernetes.io/unschedulable', 'NoSchedule', undefined],
  ]);
});

type Row = readonly [name: string, pods: readonly string[], facts: Facts, plan: readonly string[]];

const placing: readonly Row[] = [
  ['brings a pod to each node', [], {}, ['create on n1', 'create on n2', 'create on n3']],
  ['leaves out nodes that have one', ['a n1 old', 'b n3 new unscheduled'], {}, ['create on n2']],
  ['waits for a pod that is going', ['a n1 deleting'], { nodes: ['n1'] }, []],
  [
    'does not wait for one that ended and is going',
    ['a n1 failed deleting'],
    { nodes: ['n1'] },
    ['create on n1'],
  ],
  ['starts none on a node that is tainted', [], { nodes: ['n1 !a:NoSchedule'] }, []],
  ['keeps the one on a node that is tainted', ['a n1 new ready'], { nodes: ['n1 !a:NoSchedule'] }, []],
  ['takes it off when the taint says so', ['a n1 new ready'], { nodes: ['n1 !a:NoExecute'] }, ['delete a']],
  [
    'takes it off a node that is not selected',
    ['a n1 new ready'],
    { nodes: ['n1'], pod: { nodeSelector: { x: 'y' } } },
    ['delete a'],
  ],
  ['deletes what waits for a node that is gone', ['a n9 unscheduled', 'b n8'], { nodes: [] }, ['delete a']],
  ['keeps the oldest of several', ['a n1 new young', 'b n1 new'], { nodes: ['n1'] }, ['delete a']],
  [
    'keeps the one that is on the node',
    ['a n1 new unscheduled', 'b n1 new young'],
    { nodes: ['n1'] },
    ['delete a'],
  ],
  ['replaces a failed pod', ['a n1 failed'], { nodes: ['n1'] }, ['delete a (failed)']],
  ['replaces one that ended well', ['a n1 succeeded'], { nodes: ['n1'] }, ['delete a (succeeded)']],
  [
    'waits before it replaces one that fails again and again',
    ['a n1 failed'],
    { nodes: ['n1'], backoff: 4000 },
    ['wait 4000'],
  ],
  [
    'keeps an old pod beside a new one that is not available',
    ['a n1 old ready', 'b n1 new unready'],
    surging,
    [],
  ],
  [
    'takes the old pod when the new one is available',
    ['a n1 old ready', 'b n1 new ready'],
    surging,
    ['delete a'],
  ],
  [
    'takes an old pod that is not ready anyway',
    ['a n1 old unready', 'b n1 new unready'],
    surging,
    ['delete a'],
  ],
  [
    'keeps one of each when surging',
    ['a n1 old ready', 'b n1 old ready young', 'c n1 new unready', 'd n1 new young'],
    surging,
    ['delete d', 'delete b'],
  ],
];

const ready = ['a n1 old ready', 'b n2 old ready', 'c n3 old ready'];
const updates: readonly Row[] = [
  ['replaces one at a time', ready, {}, ['delete a']],
  ['replaces as many as may be unavailable', ready, { spec: rolling(2) }, ['delete a', 'delete b']],
  ['a share is rounded up', ready, { spec: rolling('34%') }, ['delete a', 'delete b']],
  ['waits while one is being replaced', ['b n2 old ready', 'c n3 old ready'], {}, []],
  ['waits while a new one is not ready', ['a n1 new unready', 'b n2 old ready'], { nodes: ['n1', 'n2'] }, []],
  [
    'waits for minReadySeconds',
    ['a n1 new fresh', 'b n2 old ready'],
    { nodes: ['n1', 'n2'], spec: { minReadySeconds: 10 } },
    [],
  ],
  [
    'replaces unavailable ones at once',
    ['a n1 old unready', 'b n2 old unready', 'c n3 old ready'],
    {},
    ['delete a', 'delete b'],
  ],
  [
    'counts them against the others',
    ['a n1 old unready', 'b n2 old ready', 'c n3 old ready'],
    { spec: rolling(2) },
    ['delete a', 'delete b'],
  ],
  ['replaces none on delete', ready, { spec: { updateStrategy: { type: 'OnDelete' } } }, []],
  ['needs no more when all are new', ['a n1 new ready', 'b n2 new ready', 'c n3 new ready'], {}, []],
  ['surges as far as it may', ready, { spec: rolling(0, 2) }, ['create on n1', 'create on n2']],
  ['a share of surge is rounded up', ready, { spec: rolling(0, '10%') }, ['create on n1']],
  ['waits while surging', [...ready, 'd n1 new unready'], { spec: rolling(0, 1) }, []],
  [
    'goes on when the new one is available',
    [...ready, 'd n1 new ready'],
    { spec: rolling(0, 1) },
    ['create on n2', 'delete a'],
  ],
  [
    'surges beside unavailable ones whatever is allowed',
    ['a n1 old unready', 'b n2 old unready', 'c n3 old ready'],
    { spec: rolling(0, 1) },
    ['create on n1', 'create on n2', 'create on n3'],
  ],
  [
    'lets go of a node only when enough others are available',
    ['a n1 old ready'],
    { nodes: ['n1 !x:NoSchedule', 'n2'], spec: rolling(0, 1) },
    [],
  ],
  [
    'lets go of a node when others have taken over',
    ['a n1 old ready', 'b n2 new ready'],
    { nodes: ['n1 !x:NoSchedule', 'n2'], spec: rolling(0, 1) },
    ['delete a'],
  ],
];

describe('placing daemon pods', () => {
  it.each(placing)('%s', (_, pods, facts, plan) => {
    const observation = observe(pods, facts);
    expect(inWords(planPlacement(observation, nodePods(observation)))).toEqual(plan);
  });
});

describe('updating daemon pods', () => {
  it.each(updates)('%s', (_, pods, facts, plan) => {
    const observation = observe(pods, facts);
    expect(inWords(planRolling(observation, nodePods(observation)))).toEqual(plan);
  });
});

describe('the status', () => {
  it('counts nodes, not pods', () => {
    const pods = [
      'a n1 old ready',
      'b n1 new unready young',
      'c n2 new fresh',
      'd n4 old ready',
      'e n9 new unscheduled',
    ];
    const nodes = ['n1', 'n2', 'n3', 'n4 !x:NoSchedule'];
    const observation = observe(pods, { nodes, spec: { minReadySeconds: 10 } });
    expect(planStatus(observation, nodePods(observation), 0)).toEqual({
      desiredNumberScheduled: 3,
      currentNumberScheduled: 2,
      numberMisscheduled: 1,
      numberReady: 2,
      numberAvailable: 1,
      numberUnavailable: 2,
      updatedNumberScheduled: 1,
      observedGeneration: 4,
    });
    expect(nextAvailability(observation)).toBe(5000);
  });
});
