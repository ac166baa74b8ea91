import { afterAll, beforeAll, expect, it } from 'vitest';
import { replicasets } from '../../api/apps/v1.gen.ts';
import { horizontalpodautoscalers } from '../../api/autoscaling/v2.gen.ts';
import { pods } from '../../api/core/v1.gen.ts';
import type { Clock } from '../../base/clock.ts';
import { createClient } from '../../client/create-client.ts';
import type { Transport } from '../../machinery/transport.ts';
import type { Controller } from '../../reconcile/controller.ts';
import { eventually } from '../../reconcile/eventually.ts';
import { fakeNode } from '../../reconcile/fake-node.ts';
import { startFaultBench, type Convergence, type FaultBench } from '../../reconcile/fault-bench.ts';
import { randomFaults } from '../../reconcile/faulty-transport.ts';
import { replicaSetController } from '../replica-set/controller.ts';
import { serviceAccountController } from '../service-account/controller.ts';
import { horizontalPodAutoscalerController } from './controller.ts';

/** The controller, looking again soon, in a cluster where every pod uses 150 MiB. */
const autoscaler: Controller = {
  ...horizontalPodAutoscalerController,
  start: (context) =>
    horizontalPodAutoscalerController.start({
      ...context,
      clock: hasty(context.clock),
      client: createClient(withUsage(context.client.transport)),
    }),
};

function hasty(clock: Clock): Clock {
  return { ...clock, after: (ms, run) => clock.after(ms >= 10_000 ? ms / 200 : ms, run) };
}

function withUsage(inner: Transport): Transport {
  return {
    ...inner,
    async request(request) {
      if (request.group !== 'metrics.k8s.io') return await inner.request(request);
      const { namespace = '' } = request;
      const list = await createClient(inner).for(pods).list({ namespace });
      return {
        items: list.items.map(({ metadata: { name } }) => ({
          metadata: { name, namespace },
          timestamp: new Date().toISOString(),
          window: '30s',
          containers: [{ name: 'c', usage: { memory: '150Mi' } }],
        })),
      };
    },
  };
}

let bench: FaultBench;
beforeAll(async () => {
  bench = await startFaultBench({
    controllers: [autoscaler],
    bystanders: [serviceAccountController, replicaSetController, fakeNode],
  });
});
afterAll(async () => {
  await bench.stop();
});

const labels = { app: 'web' };

/** Two pods that each use twice what they should: four, eight, but no more than six. */
const scaledUp: Convergence = {
  async arrange({ client, namespace }) {
    const container = { name: 'c', image: 'i', resources: { requests: { memory: '100Mi' } } };
    await client.for(replicasets).create({
      apiVersion: 'apps/v1',
      kind: 'ReplicaSet',
      metadata: { name: 'web', namespace },
      spec: {
        replicas: 2,
        selector: { matchLabels: labels },
        template: { metadata: { labels }, spec: { containers: [container] } },
      },
    });
    await eventually(client, replicasets, ([one]) => one?.status?.readyReplicas === 2, { namespace });
    const target = { type: 'Utilization', averageUtilization: 75 };
    await client.for(horizontalpodautoscalers).create({
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'web', namespace },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web' },
        maxReplicas: 6,
        metrics: [{ type: 'Resource', resource: { name: 'memory', target } }],
      },
    });
  },
  async settle({ client, namespace }) {
    await eventually(client, replicasets, ([one]) => one?.status?.readyReplicas === 6, { namespace });
    const [one] = await eventually(
      client,
      horizontalpodautoscalers,
      ([first]) => first?.status?.currentReplicas === 6 && first.status.desiredReplicas === 6,
      { namespace },
    );
    expect(one?.status?.conditions?.map(({ type, status }) => `${type}=${status}`)).toEqual([
      'AbleToScale=True',
      'ScalingActive=True',
      'ScalingLimited=True',
    ]);
  },
};

it('any fault at any call of the autoscaler leads to the same size', { timeout: 240_000 }, async () => {
  expect(await bench.playAll(scaledUp)).toBeGreaterThan(5);
});

it.each([1, 2, 3])('and so do many of them (seed %i)', { timeout: 60_000 }, async (seed) => {
  expect(await bench.play(scaledUp, randomFaults(seed, { probability: 0.3, calls: 40 }))).toBeGreaterThan(0);
});

it('and two autoscalers at once', { timeout: 60_000 }, async () => {
  expect(await bench.fight(scaledUp)).toBeGreaterThan(0);
});
