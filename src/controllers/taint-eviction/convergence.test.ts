import { afterAll, beforeAll, expect, it } from 'vitest';
import { nodes, pods, serviceaccounts, type Toleration } from '../../api/core/v1.gen.ts';
import { eventually } from '../../reconcile/eventually.ts';
import { startFaultBench, type Convergence, type FaultBench } from '../../reconcile/fault-bench.ts';
import { randomFaults } from '../../reconcile/faulty-transport.ts';
import { serviceAccountController } from '../service-account/controller.ts';
import { taintEvictionController } from './controller.ts';

let bench: FaultBench;
beforeAll(async () => {
  bench = await startFaultBench({
    controllers: [taintEvictionController],
    bystanders: [serviceAccountController],
  });
});
afterAll(() => bench.stop());

const everything: Toleration = { operator: 'Exists' };

const evicting: Convergence = {
  async arrange({ client, namespace }) {
    await eventually(client, serviceaccounts, (list) => list.length > 0, { namespace });
    await client
      .for(nodes)
      .create({ apiVersion: 'v1', kind: 'Node', metadata: { name: namespace }, spec: {} });
    const tolerations = {
      goes: [],
      waits: [{ ...everything, effect: 'NoExecute', tolerationSeconds: 1 }],
      stays: [everything],
    } as const;
    for (const [name, list] of Object.entries(tolerations))
      await client.for(pods).create({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { namespace, name },
        spec: { nodeName: namespace, containers: [{ name: 'c', image: 'i' }], tolerations: list },
      });
    const taints = [{ key: 'broken', effect: 'NoExecute' }];
    await client
      .for(nodes)
      .patch({ name: namespace }, { spec: { taints } }, { type: 'application/merge-patch+json' });
  },
  async settle({ client, namespace }) {
    const list = await eventually(
      client,
      pods,
      (all) =>
        all.every(
          ({ metadata }) => (metadata.deletionTimestamp !== undefined) === (metadata.name !== 'stays'),
        ),
      { namespace },
    );
    const disrupted = list.filter(({ status }) =>
      status?.conditions?.some(({ reason }) => reason === 'DeletionByTaintManager'),
    );
    expect(disrupted.map(({ metadata }) => metadata.name).sort()).toEqual(['goes', 'waits']);
  },
};

it('the pods that have to go do, and no others, whichever call fails', async () => {
  expect(await bench.playAll(evicting)).toBeGreaterThan(5);
}, 120_000);

it.each([1, 2])(
  'faults all over the place (seed %d) save no pod',
  async (seed) => {
    expect(await bench.play(evicting, randomFaults(seed, { probability: 0.3, calls: 30 }))).toBeGreaterThan(
      0,
    );
  },
  60_000,
);
