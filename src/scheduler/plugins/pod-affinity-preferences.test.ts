import { describe, expect, it } from 'vitest';
import type { Affinity, Pod, WeightedPodAffinityTerm } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { normalizePreferences, podAffinityPreferences, preferenceScore } from './pod-affinity-preferences.ts';
import { indexOf, node, pod } from './testdata/objects.ts';

type Placed = readonly (readonly [Live<Pod>, string])[];

const nodes = [
  node('a1', { labels: { zone: 'a' } }),
  node('a2', { labels: { zone: 'a' } }),
  node('b1', { labels: { zone: 'b' } }),
];
const args = { hardPodAffinityWeight: 1, ignorePreferredTermsOfExistingPods: false };

const term = (app: string, weight: number, topologyKey = 'zone'): WeightedPodAffinityTerm => ({
  weight,
  podAffinityTerm: { labelSelector: { matchLabels: { app } }, topologyKey },
});
const prefers = (...terms: WeightedPodAffinityTerm[]): { affinity: Affinity } => ({
  affinity: { podAffinity: { preferredDuringSchedulingIgnoredDuringExecution: terms } },
});
const avoids = (...terms: WeightedPodAffinityTerm[]): { affinity: Affinity } => ({
  affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: terms } },
});
const requires = (app: string): { affinity: Affinity } => ({
  affinity: {
    podAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { labelSelector: { matchLabels: { app } }, topologyKey: 'zone' },
      ],
    },
  },
});
const app = (name: string, of: string): Live<Pod> => pod(name, {}, { labels: { app: of } });

function scores(subject: Live<Pod>, placed: Placed, overrides: Partial<typeof args> = {}): number[] | string {
  const preferences = podAffinityPreferences(subject, {
    index: indexOf(nodes, placed),
    namespaceLabels: () => undefined,
    args: { ...args, ...overrides },
  });
  if (!preferences) return 'no preference';
  return nodes.map(({ metadata }) => preferenceScore(preferences, metadata.labels ?? {}));
}

describe('podAffinityPreferences', () => {
  it.each<[string, Live<Pod>, Placed, Partial<typeof args>, number[] | string]>([
    ['says nothing when nobody has a preference', pod('p'), [[app('q', 'db'), 'a1']], {}, 'no preference'],
    [
      'adds the weight for each preferred pod',
      pod('p', prefers(term('db', 5))),
      [
        [app('q', 'db'), 'a1'],
        [app('r', 'db'), 'a2'],
      ],
      {},
      [10, 10, 0],
    ],
    [
      'takes it away for each avoided pod',
      pod('p', avoids(term('db', 5))),
      [[app('q', 'db'), 'b1']],
      {},
      [0, 0, -5],
    ],
    [
      'counts what placed pods prefer',
      app('p', 'web'),
      [[pod('q', prefers(term('web', 7))), 'b1']],
      {},
      [0, 0, 7],
    ],
    [
      'counts what placed pods avoid',
      app('p', 'web'),
      [[pod('q', avoids(term('web', 7))), 'b1']],
      {},
      [0, 0, -7],
    ],
    ['counts what placed pods require', app('p', 'web'), [[pod('q', requires('web')), 'a1']], {}, [1, 1, 0]],
    [
      'by its configured weight',
      app('p', 'web'),
      [[pod('q', requires('web')), 'a1']],
      { hardPodAffinityWeight: 9 },
      [9, 9, 0],
    ],
    [
      'of 0, too',
      app('p', 'web'),
      [[pod('q', requires('web')), 'a1']],
      { hardPodAffinityWeight: 0 },
      'no preference',
    ],
    [
      'can leave placed pods out when the pod has no preferences',
      app('p', 'web'),
      [[pod('q', prefers(term('web', 7))), 'b1']],
      { ignorePreferredTermsOfExistingPods: true },
      'no preference',
    ],
    [
      'but counts them when it has some',
      pod('p', prefers(term('db', 5)), { labels: { app: 'web' } }),
      [
        [pod('q', prefers(term('web', 7))), 'b1'],
        [app('r', 'db'), 'a1'],
      ],
      { ignorePreferredTermsOfExistingPods: true },
      [5, 5, 7],
    ],
    [
      'adds up terms over different labels',
      pod('p', prefers(term('db', 5), term('db', 2, 'kubernetes.io/hostname'))),
      [[app('q', 'db'), 'a1']],
      {},
      [7, 5, 0],
    ],
  ])('%s', (_name, ...[subject, placed, overrides, expected]) => {
    expect(scores(subject, placed, overrides)).toEqual(expected);
  });
});

describe('normalizePreferences', () => {
  it.each([
    [
      [5, 0, -5],
      [100, 50, 0],
    ],
    [
      [3, 3],
      [0, 0],
    ],
    [
      [1, 2, 3],
      [0, 50, 100],
    ],
  ])('brings %j to %j', (raw, expected) => {
    normalizePreferences(raw);
    expect(raw).toEqual(expected);
  });
});
