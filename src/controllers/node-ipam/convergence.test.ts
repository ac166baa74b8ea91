import { afterAll, beforeAll, expect, it } from 'vitest';
import { nodes } from '../../api/core/v1.gen.ts';
import { eventually } from '../../reconcile/eventually.ts';
import { startFaultBench, type Convergence, type FaultBench } from '../../reconcile/fault-bench.ts';
import { randomFaults } from '../../reconcile/faulty-transport.ts';
import { defaultNodeLifecycleSettings, nodeLifecycleController } from '../node-lifecycle/controller.ts';
import { nodeTtlController } from '../node-ttl/controller.ts';
import { nodeIpamController } from './controller.ts';

let bench: FaultBench;
beforeAll(async () => {
  const clusterCidr = { network: 10 * 2 ** 24, prefix: 22, size: 1024 };
  bench = await startFaultBench({
    controllers: [
      nodeIpamController({ clusterCidr, nodePrefix: 24, reserved: [] }),
      nodeTtlController,
      nodeLifecycleController(defaultNodeLifecycleSettings),
    ],
    bystanders: [],
  });
});
afterAll(() => bench.stop());

const joining: Convergence = {
  async arrange({ client, namespace }) {
    for (const { metadata } of (await client.for(nodes).list()).items)
      await client.for(nodes).delete({ name: metadata.name });
    for (const ready of ['True', 'False', 'True', 'False'])
      await client.for(nodes).create({
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { generateName: `${namespace}-`, labels: { 'kubernetes.io/os': 'linux' } },
        spec: {},
        status: { conditions: [{ type: 'Ready', status: ready }] },
      });
  },
  async settle({ client }) {
    const list = await eventually(client, nodes, (all) =>
      all.every(
        ({ metadata, spec, status }) =>
          spec.podCIDR !== undefined &&
          metadata.labels?.['beta.kubernetes.io/os'] === 'linux' &&
          metadata.annotations?.['node.alpha.kubernetes.io/ttl'] === '0' &&
          (spec.taints?.some(({ effect }) => effect === 'NoSchedule') ?? false) ===
            (status?.conditions?.[0]?.status !== 'True'),
      ),
    );
    expect(new Set(list.map(({ spec }) => spec.podCIDR)).size).toBe(4);
    await eventually(
      client,
      nodes,
      (all) => all.filter(({ spec }) => spec.taints?.some(({ effect }) => effect === 'NoExecute')).length > 0,
    );
  },
};

it('every node has a network of its own whichever call fails', async () => {
  expect(await bench.playAll(joining)).toBeGreaterThan(10);
}, 120_000);

it.each([1, 2, 3])(
  'faults all over the place (seed %d) lose no network',
  async (seed) => {
    expect(await bench.play(joining, randomFaults(seed, { probability: 0.3, calls: 40 }))).toBeGreaterThan(0);
  },
  60_000,
);
