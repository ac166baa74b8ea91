import { describe, expect, it } from 'vitest';
import type { Node, Pod, TopologySpreadConstraint } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { EVERYTHING } from '../../machinery/selectors/label-selector.ts';
import { spreadConstraints } from './spread-constraint.ts';
import { SpreadDomainCache } from './spread-domains.ts';
import { changeSpread, spreads, spreadViolation, type Spread } from './spread-skew.ts';
import { seededRandom } from '../random.ts';
import { indexOf, node, pod, spread } from './testdata/objects.ts';

const host = 'kubernetes.io/hostname';
const nodes = [
  node('a1', { labels: { zone: 'a' } }),
  node('a2', { labels: { zone: 'a' } }),
  node('b1', { labels: { zone: 'b' } }),
];

/** Pods labelled `app=web` on these nodes. */
function web(...on: string[]): [Live<Pod>, string][] {
  return on.map((nodeName, index) => [pod(`w${index}`, {}, { labels: { app: 'web' } }), nodeName]);
}

function spreadOf(
  subject: Live<Pod>,
  all: readonly Live<Node>[],
  placed: readonly (readonly [Live<Pod>, string])[],
): readonly Spread[] {
  const args = { defaultConstraints: [], defaultingType: 'List' } as const;
  const constraints = spreadConstraints(subject, 'DoNotSchedule', {
    args,
    defaultSelector: () => EVERYTHING,
  });
  return spreads(subject, constraints, { index: indexOf(all, placed), cache: new SpreadDomainCache() });
}

const verdicts = (spread: readonly Spread[], all: readonly Live<Node>[]): string =>
  all.map(({ metadata }) => spreadViolation(spread, metadata.labels ?? {}) ?? 'ok').join(' ');

const subject = (
  constraints: readonly TopologySpreadConstraint[],
  more: Partial<Pod['spec']> = {},
  labels: Readonly<Record<string, string>> = { app: 'web' },
): Live<Pod> => pod('p', { topologySpreadConstraints: constraints, ...more }, { labels });

const tainted = node('t1', {
  labels: { zone: 't' },
  spec: { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] },
});

describe('spreads', () => {
  it.each<[string, Live<Pod>, readonly Live<Node>[], [Live<Pod>, string][], string]>([
    ['starts anywhere', subject([spread('zone')]), nodes, [], 'ok ok ok'],
    ['goes to the emptier zone', subject([spread('zone')]), nodes, web('a1'), 'skew skew ok'],
    ['allows more skew', subject([spread('zone', { maxSkew: 2 })]), nodes, web('a1'), 'ok ok ok'],
    ['spreads over nodes', subject([spread(host)]), nodes, web('a1', 'b1'), 'skew ok skew'],
    [
      'must satisfy all constraints',
      subject([spread('zone'), spread(host)]),
      nodes,
      web('a1', 'b1', 'b1'),
      'skew ok skew',
    ],
    [
      'may satisfy none',
      subject([spread('zone'), spread(host)]),
      nodes,
      web('a1', 'a2', 'a2', 'b1', 'b1'),
      'skew skew skew',
    ],
    [
      'does not count itself unless it is selected',
      subject([spread('zone')], {}, { app: 'other' }),
      nodes,
      web('a1'),
      'ok ok ok',
    ],
    ['needs the label', subject([spread('rack')]), nodes, [], 'missing-label missing-label missing-label'],
    [
      'leaves out nodes that lack one of the labels',
      subject([spread('zone'), spread('rack')]),
      [node('a1', { labels: { zone: 'a', rack: '1' } }), node('b1', { labels: { zone: 'b' } })],
      web('a1'),
      'ok missing-label',
    ],
    [
      'leaves out terminating pods and other namespaces',
      subject([spread('zone')]),
      nodes,
      [
        [pod('d', {}, { labels: { app: 'web' }, deletionTimestamp: '2026-01-01T00:00:00Z' }), 'a1'],
        [pod('o', {}, { labels: { app: 'web' }, namespace: 'other' }), 'a1'],
      ],
      'ok ok ok',
    ],
    [
      'takes the minimum for 0 below minDomains (KEP-3022)',
      subject([spread('zone', { minDomains: 3 })]),
      nodes,
      web('a1', 'b1'),
      'skew skew skew',
    ],
    [
      'has enough domains at minDomains',
      subject([spread('zone', { minDomains: 2 })]),
      nodes,
      web('a1', 'b1'),
      'ok ok ok',
    ],
    [
      'honours node affinity by default: an excluded zone is no domain (KEP-3094)',
      subject([spread('zone')], { nodeSelector: { zone: 'a' } }),
      nodes,
      web('a1'),
      'ok ok ok',
    ],
    [
      'can ignore node affinity: the excluded zone stays the emptiest',
      subject([spread('zone', { nodeAffinityPolicy: 'Ignore' })], { nodeSelector: { zone: 'a' } }),
      nodes,
      web('a1'),
      'skew skew ok',
    ],
    [
      'ignores taints by default',
      subject([spread('zone')]),
      [...nodes, tainted],
      web('a1', 'b1'),
      'skew skew skew ok',
    ],
    [
      'can honour taints: a tainted zone is no domain',
      subject([spread('zone', { nodeTaintsPolicy: 'Honor' })]),
      [...nodes, tainted],
      web('a1', 'b1'),
      'ok ok ok ok',
    ],
    [
      'can honour taints: a tolerated zone is one',
      subject([spread('zone', { nodeTaintsPolicy: 'Honor' })], { tolerations: [{ operator: 'Exists' }] }),
      [...nodes, tainted],
      web('a1', 'b1'),
      'skew skew skew ok',
    ],
    [
      'honours each constraint its own way',
      subject([spread('zone', { nodeAffinityPolicy: 'Ignore' }), spread(host)], {
        nodeSelector: { zone: 'a' },
      }),
      nodes,
      web('a1'),
      'skew skew ok',
    ],
    [
      'counts only pods of its own revision with matchLabelKeys (KEP-3243)',
      subject([spread('zone', { matchLabelKeys: ['hash', 'absent'] })], {}, { app: 'web', hash: '2' }),
      nodes,
      [
        [pod('old', {}, { labels: { app: 'web', hash: '1' } }), 'a1'],
        [pod('new', {}, { labels: { app: 'web', hash: '2' } }), 'b1'],
      ],
      'ok ok skew',
    ],
    [
      'counts nobody without a selector',
      subject([spread('zone', { labelSelector: undefined } as never)]),
      nodes,
      web('a1'),
      'ok ok ok',
    ],
  ])('%s', (_name, ...[incoming, all, placed, expected]) => {
    expect(verdicts(spreadOf(incoming, all, placed), all)).toBe(expected);
  });
});

describe('changeSpread', () => {
  it('follows pods that are taken away and brought back', () => {
    const incoming = subject([spread('zone')]);
    const placed = web('a1', 'a1', 'b1');
    const now = spreadOf(incoming, nodes, placed);
    const change = (nodeName: string, by: 1 | -1): string => {
      const [[other] = [incoming]] = placed;
      changeSpread(now, { pod: incoming, other, nodeName, change: by });
      return verdicts(now, nodes);
    };
    expect(verdicts(now, nodes)).toBe('skew skew ok');
    expect(change('a1', -1)).toBe('ok ok ok');
    expect(change('b1', -1)).toBe('skew skew ok');
    expect(change('b1', 1)).toBe('ok ok ok');
    expect(change('a1', 1)).toBe('skew skew ok');
  });
});

/** The rules of KEP-895, 3022, 3094 and 3243, counted anew for each node. */
function naive(
  incoming: Live<Pod>,
  {
    all,
    placed,
    on,
  }: {
    readonly all: readonly Live<Node>[];
    readonly placed: readonly (readonly [Live<Pod>, string])[];
    readonly on: Live<Node>;
  },
): string {
  const constraints = incoming.spec.topologySpreadConstraints ?? [];
  const labelOf = ({ metadata }: Node, key: string): string | undefined => metadata.labels?.[key];
  const isWeb = ({ metadata }: Pod): boolean => metadata.labels?.['app'] === 'web';
  for (const { topologyKey, maxSkew, minDomains = 1, nodeAffinityPolicy, nodeTaintsPolicy } of constraints) {
    const here = labelOf(on, topologyKey);
    if (here === undefined) return 'missing-label';
    const eligible = all.filter(
      (one) =>
        constraints.every((constraint) => labelOf(one, constraint.topologyKey) !== undefined) &&
        (nodeAffinityPolicy === 'Ignore' ||
          Object.entries(incoming.spec.nodeSelector ?? {}).every(
            ([key, value]) => labelOf(one, key) === value,
          )) &&
        (nodeTaintsPolicy !== 'Honor' || (one.spec.taints ?? []).length === 0),
    );
    const count = (domain: string): number =>
      placed.filter(
        ([other, at]) =>
          isWeb(other) &&
          eligible.some((one) => one.metadata.name === at && labelOf(one, topologyKey) === domain),
      ).length;
    const domains = [...new Set(eligible.map((one) => labelOf(one, topologyKey) ?? ''))];
    const fewest = domains.length < minDomains ? 0 : Math.min(...domains.map(count));
    if (count(here) + (isWeb(incoming) ? 1 : 0) - fewest > maxSkew) return 'skew';
  }
  return 'ok';
}

describe('spreadViolation', () => {
  it.each([1, 2, 3, 4])('agrees with the rules read literally (seed %i)', (seed) => {
    const random = seededRandom(seed);
    const pick = <T>(list: readonly [T, ...T[]]): T => list[Math.floor(random() * list.length)] ?? list[0];
    for (let round = 0; round < 150; round++) {
      const all = ['n0', 'n1', 'n2', 'n3', 'n4'].map((name) => {
        const place = pick([{ zone: 'a' }, { zone: 'b' }, { zone: 'c' }, {}]);
        const taints = pick([[], [{ key: 'k', effect: 'NoSchedule' as const }]]);
        return node(name, { labels: { ...place, ...pick([{ disk: 'ssd' }, {}]) }, spec: { taints } });
      });
      const placed = Array.from({ length: Math.floor(random() * 8) }, (_, index): [Live<Pod>, string] => [
        pod(`w${index}`, {}, { labels: { app: pick(['web', 'web', 'db']) } }),
        pick(['n0', 'n1', 'n2', 'n3', 'n4']),
      ]);
      const some = (key: string): TopologySpreadConstraint =>
        spread(key, {
          maxSkew: pick([1, 2]),
          minDomains: pick([1, 2, 3]),
          nodeAffinityPolicy: pick(['Honor', 'Ignore']),
          nodeTaintsPolicy: pick(['Honor', 'Ignore']),
        });
      const incoming = subject(
        pick([[some('zone')], [some(host)], [some('zone'), some(host)]]),
        pick([{}, { nodeSelector: { disk: 'ssd' } }]),
        { app: pick(['web', 'db']) },
      );
      const expected = all.map((on) => naive(incoming, { all, placed, on })).join(' ');
      expect(verdicts(spreadOf(incoming, all, placed), all)).toBe(expected);
    }
  });
});
