import { afterAll, beforeAll, expect, it } from 'vitest';
import { replicasets } from '../../api/apps/v1.gen.ts';
import { pods } from '../../api/core/v1.gen.ts';
import { poddisruptionbudgets } from '../../api/policy/v1.gen.ts';
import { eventually } from '../../reconcile/eventually.ts';
import { fakeNode } from '../../reconcile/fake-node.ts';
import { startFaultBench, type Convergence, type FaultBench } from '../../reconcile/fault-bench.ts';
import { randomFaults } from '../../reconcile/faulty-transport.ts';
import { replicaSetController } from '../replica-set/controller.ts';
import { serviceAccountController } from '../service-account/controller.ts';
import { disruptionController } from './controller.ts';

let bench: FaultBench;
beforeAll(async () => {
  bench = await startFaultBench({
    controllers: [disruptionController],
    bystanders: [fakeNode, replicaSetController, serviceAccountController],
  });
});
afterAll(async () => {
  await bench.stop();
});

const labels = { app: 'web' };

/** A budget of a set of three, of which evictions have been granted that never happened. */
const budget: Convergence = {
  async arrange({ client, namespace }) {
    const spec = { containers: [{ name: 'c', image: 'i' }] };
    await client.for(replicasets).create({
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: 'web', namespace },
      spec: { replicas: 3, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    });
    const created = await client.for(poddisruptionbudgets).create({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'web', namespace },
      spec: { selector: { matchLabels: labels }, maxUnavailable: '50%' },
    });
    const [pod] = await eventually(client, pods, (list) => list.length === 3, { namespace });
    await client.for(poddisruptionbudgets).updateStatus({
      ...created,
      status: {
        currentHealthy: 9,
        desiredHealthy: 1,
        disruptionsAllowed: 8,
        expectedPods: 9,
        disruptedPods: { gone: '2026-01-01T00:00:00Z', [pod?.metadata.name ?? '']: '2026-01-01T00:00:00Z' },
      },
    });
  },
  async settle({ client, namespace }) {
    const [one] = await eventually(
      client,
      poddisruptionbudgets,
      ([first]) => first?.status?.currentHealthy === 3 && first.status.disruptedPods === undefined,
      { namespace },
    );
    expect(one?.status).toMatchObject({
      currentHealthy: 3,
      desiredHealthy: 1,
      disruptionsAllowed: 2,
      expectedPods: 3,
      observedGeneration: 1,
      conditions: [{ type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods' }],
    });
  },
};

it('a budget is right in the end with any fault at any call', { timeout: 60_000 }, async () => {
  expect(await bench.playAll(budget)).toBeGreaterThan(5);
});

it.each([1, 2, 3, 4])('and with many of them (seed %i)', { timeout: 30_000 }, async (seed) => {
  const faults = randomFaults(seed, { probability: 0.3, calls: 40 });
  expect(await bench.play(budget, faults)).toBeGreaterThan(0);
});
