import { expect, it } from 'vitest';
import type { Node } from '../api/core/v1.gen.ts';
import { nextHopAnnotation, planRoutes } from './plan-routes.ts';

function node(name: string, podCIDR: string, address: string, hop?: string): Node {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, ...(hop !== undefined && { annotations: { [nextHopAnnotation]: hop } }) },
    spec: { ...(podCIDR !== '' && { podCIDR }) },
    status: { addresses: [{ type: 'InternalIP', address }] },
  };
}

it.each<[string, readonly Node[], readonly string[]]>([
  ['leads to neighbours', [node('a', '10.244.5.0/24', '192.0.2.5')], ['10.244.5.0/24 via 192.0.2.5']],
  [
    "leads to a machine's nodes through the machine",
    [node('a', '10.244.0.0/24', '10.244.254.2', '192.0.2.1')],
    ['10.244.0.0/24 via 192.0.2.1', '10.244.254.2/32 via 192.0.2.1'],
  ],
  ['leaves out nodes without addresses for pods', [node('a', '', '192.0.2.5')], []],
  ['leaves out nodes that have no network', [node('a', '10.244.5.0/24', '127.0.0.1')], []],
  ['leaves out nodes that are here', [node('own', '10.244.6.0/24', '192.0.2.6')], []],
])('%s', (_, nodes, expected) => {
  const routes = planRoutes(nodes, ({ metadata }) => metadata.name !== 'own');
  expect(routes.map(({ range, via }) => `${range} via ${via}`)).toEqual(expected);
});
