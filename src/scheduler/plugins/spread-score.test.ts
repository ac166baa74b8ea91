import { describe, expect, it } from 'vitest';
import type { Pod, TopologySpreadConstraint } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { selectorFromMap } from '../../machinery/selectors/label-selector.ts';
import { NodeInfo } from '../node-info.ts';
import { spreadConstraints } from './spread-constraint.ts';
import { SpreadDomainCache } from './spread-domains.ts';
import { normalizeSpread, spreadScoresOf } from './spread-score.ts';
import { indexOf, node, pod, spread } from './testdata/objects.ts';

const host = 'kubernetes.io/hostname';
const zone = 'topology.kubernetes.io/zone';
const nodes = [
  node('a1', { labels: { [zone]: 'a' } }),
  node('a2', { labels: { [zone]: 'a' } }),
  node('b1', { labels: { [zone]: 'b' } }),
  node('x'),
];
const soft = (key: string, more: Partial<TopologySpreadConstraint> = {}): TopologySpreadConstraint =>
  spread(key, { whenUnsatisfiable: 'ScheduleAnyway', ...more });

function scores(constraints: readonly TopologySpreadConstraint[], on: readonly string[]): number[] {
  const subject = pod('p', { topologySpreadConstraints: constraints }, { labels: { app: 'web' } });
  const placed = on.map((nodeName, index): [Live<Pod>, string] => [
    pod(`w${index}`, {}, { labels: { app: 'web' } }),
    nodeName,
  ]);
  const parsed = spreadConstraints(subject, 'ScheduleAnyway', {
    args: { defaultConstraints: [], defaultingType: 'System' },
    defaultSelector: () => selectorFromMap({ app: 'web' }),
  });
  const raw = spreadScoresOf(subject, parsed, {
    index: indexOf(nodes, placed),
    cache: new SpreadDomainCache(),
    labels: constraints.length > 0 ? 'all' : 'any',
    nodes: nodes.map((node) => new NodeInfo(node)),
  });
  normalizeSpread(raw);
  return raw;
}

describe('spreadScoresOf', () => {
  it.each<[string, TopologySpreadConstraint[], string[], number[]]>([
    ['gives everything when there are no pods', [soft(zone)], [], [100, 100, 100, 0]],
    ['prefers the emptier zone', [soft(zone)], ['a1', 'a2', 'b1'], [33, 33, 100, 0]],
    ['prefers the emptier node', [soft(host)], ['a1', 'a1', 'b1'], [0, 100, 50, 100]],
    ['adds constraints up', [soft(zone), soft(host)], ['a1', 'a1', 'b1'], [50, 100, 100, 0]],
    [
      'waters small differences down by maxSkew',
      [soft(zone, { maxSkew: 5 })],
      ['a1', 'a1', 'b1'],
      [71, 71, 100, 0],
    ],
    [
      'spreads by default over hosts and zones, and scores nodes without a zone',
      [],
      ['a1', 'b1'],
      [22, 33, 22, 100],
    ],
  ])('%s', (_name, constraints, on, expected) => {
    expect(scores(constraints, on)).toEqual(expected);
  });
});
