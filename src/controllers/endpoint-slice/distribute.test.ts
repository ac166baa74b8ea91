import { describe, expect, it } from 'vitest';
import type { Service } from '../../api/core/v1.gen.ts';
import type { Endpoint, EndpointSlice } from '../../api/discovery/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { distribute } from './distribute.ts';
import { withHints } from './hints.ts';

const endpoint = (address: string, ready = true): Endpoint => ({
  addresses: [address],
  conditions: { ready },
});

function slice(name: string, addresses: string): Live<EndpointSlice> {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name, uid: name, resourceVersion: '1', creationTimestamp: '' },
    addressType: 'IPv4',
    ports: [],
    endpoints: Array.from(addresses).map((address) => endpoint(address)),
  };
}

describe('distribute', () => {
  it.each<[string, string, Readonly<Record<string, string>>, Readonly<Record<string, string>>]>([
    ['fills new slices', 'abcdefg', {}, { '-': 'abc', '--': 'def', '---': 'g' }],
    ['leaves what is there', 'ab', { x: 'ab' }, { x: 'ab' }],
    ['fills a slice that changes anyway', 'acd', { x: 'ab', y: 'c' }, { x: 'ad', y: 'c' }],
    ['fills the fullest slice that has room', 'abcd', { x: 'a', y: 'bc' }, { x: 'a', y: 'bcd' }],
    ['rather makes a slice than change two', 'abcdef', { x: 'ab', y: 'cd' }, { x: 'ab', y: 'cd', '-': 'ef' }],
    ['drops slices left empty', 'a', { x: 'a', y: 'bc' }, { x: 'a' }],
    ['drops what two slices hold from the second', 'ab', { x: 'ab', y: 'b' }, { x: 'ab' }],
    ['moves what a slice holds too much', 'abcd', { x: 'abcd' }, { x: 'abc', '-': 'd' }],
    ['has no share of nothing', '', { x: 'a' }, {}],
  ])('%s', (_, wanted, held, expected) => {
    const slices = Object.entries(held).map(([name, addresses]) => slice(name, addresses));
    let made = '';
    const shares = distribute(
      Array.from(wanted).map((address) => endpoint(address)),
      slices,
      3,
    ).map((share) => [
      share.slice?.metadata.name ?? (made += '-'),
      share.endpoints.map(({ addresses }) => addresses[0]).join(''),
    ]);
    expect(Object.fromEntries(shares)).toEqual(expected);
  });
});

describe('withHints', () => {
  const service = (trafficDistribution?: string): Service => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 's' },
    spec: trafficDistribution === undefined ? {} : { trafficDistribution },
  });
  const placed: Endpoint = { ...endpoint('a'), nodeName: 'n', zone: 'z' };
  const forZones = [{ name: 'z' }];
  it.each<[string, string | undefined, Endpoint, Endpoint['hints']]>([
    ['no wish', undefined, placed, undefined],
    ['an unknown wish', 'Somewhere', placed, undefined],
    ['close', 'PreferClose', placed, { forZones }],
    ['same zone', 'PreferSameZone', placed, { forZones }],
    ['same zone, which is unknown', 'PreferSameZone', { ...endpoint('a'), nodeName: 'n' }, undefined],
    ['same node', 'PreferSameNode', placed, { forNodes: [{ name: 'n' }], forZones }],
    [
      'same node in no zone',
      'PreferSameNode',
      { ...endpoint('a'), nodeName: 'n' },
      { forNodes: [{ name: 'n' }] },
    ],
    ['not ready', 'PreferClose', { ...endpoint('a', false), zone: 'z' }, undefined],
  ])('%s', (_, wish, held, hints) => {
    expect(withHints(service(wish), held).hints).toEqual(hints);
  });
});
