import { describe, expect, it } from 'vitest';
import type { PodAffinity, PodAffinityTerm, PodAntiAffinity } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import type { Node, Pod } from '../../api/core/v1.gen.ts';
import { affinityViolation, changePodAffinity, countPodAffinity } from './pod-affinity-counts.ts';
import { seededRandom } from '../random.ts';
import { indexOf, node, pod } from './testdata/objects.ts';

type Placed = readonly (readonly [Live<Pod>, string])[];

const zone = 'zone';
const host = 'kubernetes.io/hostname';
const nodes = [
  node('a1', { labels: { zone: 'a' } }),
  node('a2', { labels: { zone: 'a' } }),
  node('b1', { labels: { zone: 'b' } }),
  node('x'),
];
const namespaces: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  default: { team: 'x' },
  other: { team: 'y' },
};

const term = (app: string, topologyKey = zone, more: Partial<PodAffinityTerm> = {}): PodAffinityTerm => ({
  labelSelector: { matchLabels: { app } },
  topologyKey,
  ...more,
});
const near = (...required: PodAffinityTerm[]): { affinity: { podAffinity: PodAffinity } } => ({
  affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } },
});
const far = (...required: PodAffinityTerm[]): { affinity: { podAntiAffinity: PodAntiAffinity } } => ({
  affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: required } },
});
const app = (name: string, of: string, namespace = 'default'): Live<Pod> =>
  pod(name, {}, { labels: { app: of }, namespace });

function verdicts(subject: Live<Pod>, placed: Placed, all: readonly Live<Node>[] = nodes): string {
  const counts = countPodAffinity(subject, indexOf(all, placed), (name) => namespaces[name]);
  return all.map(({ metadata }) => affinityViolation(counts, metadata.labels ?? {}) ?? 'ok').join(' ');
}

describe('countPodAffinity', () => {
  it.each<[string, Live<Pod>, Placed, string]>([
    ['lets a pod without terms go anywhere', pod('p'), [[app('db', 'db'), 'a1']], 'ok ok ok ok'],
    [
      'keeps to the zone of the wanted pod',
      pod('p', near(term('db'))),
      [[app('db', 'db'), 'a1']],
      'ok ok affinity affinity',
    ],
    [
      'finds no place without the wanted pod',
      pod('p', near(term('db'))),
      [],
      'affinity affinity affinity affinity',
    ],
    [
      'lets the first pod of its kind go to any node with the label',
      pod('p', near(term('web')), { labels: { app: 'web' } }),
      [],
      'ok ok ok affinity',
    ],
    [
      'counts only pods that match all terms',
      pod('p', near(term('db'), term('cache'))),
      [
        [app('db', 'db'), 'a1'],
        [app('cache', 'cache'), 'a1'],
      ],
      'affinity affinity affinity affinity',
    ],
    [
      'is not the first of its kind when one exists elsewhere',
      pod('p', near(term('web')), { labels: { app: 'web' } }),
      [[app('w', 'web'), 'b1']],
      'affinity affinity ok affinity',
    ],
    [
      'is the first of its kind when the others are on nodes without the label',
      pod('p', near(term('web')), { labels: { app: 'web' } }),
      [[app('w', 'web'), 'x']],
      'ok ok ok affinity',
    ],
    [
      'keeps away from pods it does not want',
      pod('p', far(term('db'))),
      [[app('db', 'db'), 'a1']],
      'anti-affinity anti-affinity ok ok',
    ],
    [
      'keeps away on one node only',
      pod('p', far(term('db', host))),
      [[app('db', 'db'), 'a1']],
      'anti-affinity ok ok ok',
    ],
    [
      'honours the anti-affinity of placed pods',
      app('p', 'web'),
      [[pod('q', far(term('web'))), 'a2']],
      'existing-anti-affinity existing-anti-affinity ok ok',
    ],
    [
      'names its own rule first',
      pod('p', far(term('db', host)), { labels: { app: 'web' } }),
      [[pod('q', far(term('web')), { labels: { app: 'db' } }), 'a1']],
      'anti-affinity existing-anti-affinity ok ok',
    ],
    [
      'looks at its own namespace',
      pod('p', far(term('db'))),
      [[app('db', 'db', 'other'), 'a1']],
      'ok ok ok ok',
    ],
    [
      'looks at named namespaces',
      pod('p', far(term('db', zone, { namespaces: ['other'] }))),
      [
        [app('db', 'db', 'other'), 'a1'],
        [app('db2', 'db'), 'b1'],
      ],
      'anti-affinity anti-affinity ok ok',
    ],
    [
      'looks at selected namespaces',
      pod('p', far(term('db', zone, { namespaceSelector: { matchLabels: { team: 'y' } } }))),
      [
        [app('db', 'db', 'other'), 'a1'],
        [app('db2', 'db'), 'b1'],
      ],
      'anti-affinity anti-affinity ok ok',
    ],
    [
      'joins named and selected namespaces',
      pod(
        'p',
        far(term('db', zone, { namespaces: ['default'], namespaceSelector: { matchLabels: { team: 'y' } } })),
      ),
      [
        [app('db', 'db', 'other'), 'a1'],
        [app('db2', 'db'), 'b1'],
      ],
      'anti-affinity anti-affinity anti-affinity ok',
    ],
    [
      'takes an empty namespace selector for every namespace',
      pod('p', far(term('db', zone, { namespaceSelector: {} }))),
      [[app('db', 'db', 'unknown'), 'b1']],
      'ok ok anti-affinity ok',
    ],
    [
      'takes no label selector for no pod',
      pod('p', far({ topologyKey: zone })),
      [[app('db', 'db'), 'b1']],
      'ok ok ok ok',
    ],
    [
      'counts pods that are being deleted',
      pod('p', far(term('db'))),
      [[pod('db', {}, { labels: { app: 'db' }, deletionTimestamp: '2026-01-01T00:00:00Z' }), 'b1']],
      'ok ok anti-affinity ok',
    ],
  ])('%s', (_name, subject, placed, expected) => {
    expect(verdicts(subject, placed)).toBe(expected);
  });

  it('spreads each pod of many classes over the nodes of one zone', () => {
    const placed = Array.from({ length: 20 }, (_, index): [Live<Pod>, string] => [
      pod(`q${index}`, far(term('web', host)), { labels: { app: 'web', index: String(index) } }),
      index % 2 === 0 ? 'a1' : 'b1',
    ]);
    expect(verdicts(app('p', 'web'), placed)).toBe('existing-anti-affinity ok existing-anti-affinity ok');
  });
});

describe('changePodAffinity', () => {
  it.each<[string, Live<Pod>, Live<Pod>, string, string]>([
    [
      'a pod in the way',
      pod('p', far(term('db'))),
      app('db', 'db'),
      'anti-affinity anti-affinity ok ok',
      'ok ok ok ok',
    ],
    [
      'a pod that refuses',
      app('p', 'web'),
      pod('q', far(term('web'))),
      'existing-anti-affinity existing-anti-affinity ok ok',
      'ok ok ok ok',
    ],
    [
      'a wanted pod',
      pod('p', near(term('db'))),
      app('db', 'db'),
      'ok ok affinity affinity',
      'affinity affinity affinity affinity',
    ],
  ])('takes away and brings back %s', (_name, ...[subject, other, before, without]) => {
    const namespaceLabels = (): undefined => undefined;
    const counts = countPodAffinity(subject, indexOf(nodes, [[other, 'a1']]), namespaceLabels);
    const verdict = (): string =>
      nodes.map(({ metadata }) => affinityViolation(counts, metadata.labels ?? {}) ?? 'ok').join(' ');
    const labels = nodes[0]?.metadata.labels ?? {};
    expect(verdict()).toBe(before);
    changePodAffinity(counts, { pod: subject, other, labels, change: -1, namespaceLabels });
    expect(verdict()).toBe(without);
    changePodAffinity(counts, { pod: subject, other, labels, change: 1, namespaceLabels });
    expect(verdict()).toBe(before);
  });
});

/** The rules of upstream's documentation, pod by pod and without any counting. */
function naive(subject: Live<Pod>, placed: Placed, on: Live<Node>): string {
  const where = new Map(nodes.map((one) => [one.metadata.name, one.metadata.labels ?? {}]));
  const labels = on.metadata.labels ?? {};
  const about = (other: Pod, owner: Pod, { labelSelector }: PodAffinityTerm): boolean =>
    other.metadata.namespace === owner.metadata.namespace &&
    other.metadata.labels?.['app'] === labelSelector?.matchLabels?.['app'];
  const together = (nodeName: string, { topologyKey }: PodAffinityTerm): boolean => {
    const domain = where.get(nodeName)?.[topologyKey];
    return domain !== undefined && domain === labels[topologyKey];
  };
  const { podAffinity, podAntiAffinity } = subject.spec.affinity ?? {};
  const wanted = podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const avoided = podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const kin = placed.filter(([other]) => wanted.every((one) => about(other, subject, one)));
  const labelled = wanted.every(({ topologyKey }) => labels[topologyKey] !== undefined);
  const near = wanted.every((one) => kin.some(([, nodeName]) => together(nodeName, one)));
  const alone = kin.every(([, nodeName]) =>
    wanted.every(({ topologyKey }) => where.get(nodeName)?.[topologyKey] === undefined),
  );
  const first = alone && wanted.every((one) => about(subject, subject, one));
  if (!labelled || !(near || first)) return 'affinity';
  if (placed.some(([other, at]) => avoided.some((one) => about(other, subject, one) && together(at, one))))
    return 'anti-affinity';
  const refuses = ([other, at]: readonly [Live<Pod>, string]): boolean =>
    (other.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).some(
      (one) => about(subject, other, one) && together(at, one),
    );
  return placed.some(refuses) ? 'existing-anti-affinity' : 'ok';
}

describe('affinityViolation', () => {
  it.each([1, 2, 3, 4])('agrees with the rules read literally (seed %i)', (seed) => {
    const random = seededRandom(seed);
    const pick = <T>(list: readonly [T, ...T[]]): T => list[Math.floor(random() * list.length)] ?? list[0];
    const someTerms = (): PodAffinityTerm[] =>
      pick([[], [1], [1, 2]]).map(() => term(pick(['web', 'db']), pick([zone, host])));
    const somePod = (name: string): Live<Pod> => {
      const affinity = { ...near(...someTerms()).affinity, ...far(...someTerms()).affinity };
      const namespace = pick(['default', 'default', 'other']);
      return pod(name, { affinity }, { labels: { app: pick(['web', 'db']) }, namespace });
    };
    for (let round = 0; round < 150; round++) {
      const placed = Array.from({ length: Math.floor(random() * 5) }, (_, index): [Live<Pod>, string] => [
        somePod(`q${index}`),
        pick(['a1', 'a2', 'b1', 'x']),
      ]);
      const subject = somePod('p');
      expect(verdicts(subject, placed)).toBe(nodes.map((one) => naive(subject, placed, one)).join(' '));
    }
  });
});
