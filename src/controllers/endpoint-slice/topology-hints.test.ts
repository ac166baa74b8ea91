import { describe, expect, it } from 'vitest';
import type { Node, Service } from '../../api/core/v1.gen.ts';
import type { Endpoint } from '../../api/discovery/v1.gen.ts';
import { wantsTopology, withTopology, zoneShares } from './topology-hints.ts';

const node = (zone: string | undefined, cpu: string, more: { ready?: string; role?: string } = {}): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: {
    name: 'n',
    labels: {
      ...(zone !== undefined && { 'topology.kubernetes.io/zone': zone }),
      ...(more.role !== undefined && { [`node-role.kubernetes.io/${more.role}`]: '' }),
    },
  },
  spec: {},
  status: { allocatable: { cpu }, conditions: [{ type: 'Ready', status: more.ready ?? 'True' }] },
});

/** Zones of endpoints in order, upper case for ready ones, `_` for a ready one in none: `AAb_`. */
function endpoints(zones: string): readonly Endpoint[] {
  return Array.from(zones).map((letter, index) => ({
    addresses: [`10.0.0.${index}`],
    conditions: { ready: letter === '_' || letter !== letter.toLowerCase() },
    ...(letter !== '_' && { zone: letter.toLowerCase() }),
  }));
}

const hints = (list: readonly Endpoint[]): string =>
  list.map((endpoint) => endpoint.hints?.forZones?.map(({ name }) => name).join('+') ?? '.').join('');

const sorted = (text: string): string => Array.from(text).sort().join('');

describe('withTopology', () => {
  const even = { a: 0.5, b: 0.5 };
  it.each<[string, string, Readonly<Record<string, number>>, string]>([
    ['keeps endpoints in their zones', 'AABB', even, 'aabb'],
    ['moves what a zone has too much', 'AAAB', even, 'aabb'],
    ['fills zones without endpoints', 'AAAA', even, 'aabb'],
    ['leaves endpoints alone that are not ready', 'AaABB', even, 'a.abb'],
    ['follows the share of processors', 'AAAAAABBBBBB', { a: 0.75, b: 0.25 }, 'aaaaaabbbaaa'],
    ['tolerates a little unevenness', 'AAAAABBBBBB', even, 'aaaaabbbbbb'],
    ['takes all from zones without nodes', 'CCCC', even, 'aabb'],
    ['moves several to where they are wanted most', 'AAAAAAAA', { a: 0.25, b: 0.25, c: 0.5 }, 'aabbcccc'],
  ])('%s', (_, zones, shares, expected) => {
    const result = withTopology(endpoints(zones), new Map(Object.entries(shares)));
    expect([result.problem, sorted(hints(result.endpoints))]).toEqual([undefined, sorted(expected)]);
  });

  it.each<[string, Readonly<Record<string, number>> | undefined, string]>([
    ['AA', { a: 1 }, 'Nodes only ready in one zone'],
    ['A', even, 'Insufficient number of endpoints (1), impossible to safely allocate proportionally'],
    [
      'AA',
      undefined,
      'Insufficient Node information: allocatable CPU or zone not specified on one or more nodes',
    ],
    ['A_BB', even, 'One or more endpoints do not have a zone specified'],
    [
      'ABC',
      { a: 0.4, b: 0.4, c: 0.2 },
      'Minimum allocation of required endpoints exceeds overload threshold',
    ],
  ])('gives no hints for %s in %j', (zones, shares, problem) => {
    const list = endpoints(zones);
    expect(withTopology(list, shares && new Map(Object.entries(shares)))).toEqual({
      endpoints: list,
      problem,
    });
  });
});

it('zones share what their ready workers have', () => {
  const nodes = [
    node('a', '4'),
    node('a', '2'),
    node('b', '2000m'),
    node('b', '64', { ready: 'Unknown' }),
    node('b', '64', { role: 'control-plane' }),
  ];
  expect([
    zoneShares(nodes),
    zoneShares([...nodes, node(undefined, '1')]),
    zoneShares([...nodes, node('b', '0')]),
    zoneShares([]),
  ]).toEqual([
    new Map([
      ['a', 0.75],
      ['b', 0.25],
    ]),
    undefined,
    undefined,
    new Map(),
  ]);
});

it('is asked for by an annotation, new or old', () => {
  const service = (
    annotations: Readonly<Record<string, string>>,
    clusterIP: string = '10.0.0.1',
  ): Service => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's', annotations },
    spec: { clusterIP },
  });
  const key = 'service.kubernetes.io/topology-mode';
  expect([
    wantsTopology(service({ [key]: 'Auto' })),
    wantsTopology(service({ 'service.kubernetes.io/topology-aware-hints': 'auto' })),
    wantsTopology(service({ [key]: 'Disabled', 'service.kubernetes.io/topology-aware-hints': 'auto' })),
    wantsTopology(service({})),
    wantsTopology(service({ [key]: 'Auto' }, 'None')),
  ]).toEqual([true, true, false, false, false]);
});
