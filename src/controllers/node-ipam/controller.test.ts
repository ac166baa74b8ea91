import { afterEach, expect, it } from 'vitest';
import { events, nodes, type Node } from '../../api/core/v1.gen.ts';
import { eventually } from '../../reconcile/eventually.ts';
import { startTestServer, type TestServer } from '../../reconcile/test-server.ts';
import { nodeIpamController } from './controller.ts';

let server: TestServer | undefined;
afterEach(async () => server?.stop());

const range = (second: number, prefix: number): { network: number; prefix: number; size: number } => ({
  network: (10 * 256 + 0) * 65_536 + second * 256,
  prefix,
  size: 2 ** (32 - prefix),
});

const node = (name: string, podCIDR?: string): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  spec: podCIDR === undefined ? {} : { podCIDR, podCIDRs: [podCIDR] },
});

it('gives nodes networks, tells when there is none left, and passes on what a deleted node had', async () => {
  const options = { clusterCidr: range(0, 22), nodePrefix: 24, reserved: [range(3, 24)] };
  server = await startTestServer([nodeIpamController(options)]);
  const { client } = server;
  await client.for(nodes).create(node('fixed', '10.0.1.0/24'));
  await eventually(client, nodes, (list) => list.length === 1);
  await client.for(nodes).create(node('a'));
  await client.for(nodes).create(node('b'));
  const given = await eventually(
    client,
    nodes,
    (list) => list.length === 3 && list.every(({ spec }) => spec.podCIDR),
  );
  await client.for(nodes).create(node('c'));
  const [told] = await eventually(client, events, (list) => list.length > 0);
  await client.for(nodes).delete({ name: 'a' });
  const [c] = await eventually(client, nodes, ([one]) => one?.spec.podCIDR !== undefined, {
    fieldSelector: 'metadata.name=c',
  });
  expect([
    given.map(({ metadata, spec }) => `${metadata.name} ${spec.podCIDRs?.join()}`).sort(),
    told?.message,
    c?.spec.podCIDRs,
  ]).toEqual([
    ['a 10.0.0.0/24', 'b 10.0.2.0/24', 'fixed 10.0.1.0/24'],
    'Node c status is now: CIDRNotAvailable',
    ['10.0.0.0/24'],
  ]);
});

it('gives nodes of a cluster of two families the /64 of the number of their /24', async () => {
  const ipv6 = { network: 0xfd00_0010_0244n << 80n, prefix: 56 };
  server = await startTestServer([
    nodeIpamController({ clusterCidr: range(0, 22), ipv6, nodePrefix: 24, reserved: [range(0, 24)] }),
  ]);
  await server.client.for(nodes).create(node('a'));
  const [a] = await eventually(server.client, nodes, ([one]) => one?.spec.podCIDR !== undefined);
  expect(a?.spec.podCIDRs).toEqual(['10.0.1.0/24', 'fd00:10:244:1::/64']);
});
