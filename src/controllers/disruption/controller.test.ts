import { afterEach, beforeEach, expect, it } from 'vitest';
import { replicasets } from '../../api/apps/v1.gen.ts';
import { pods, serviceaccounts, type Pod } from '../../api/core/v1.gen.ts';
import { poddisruptionbudgets, type PodDisruptionBudgetSpec } from '../../api/policy/v1.gen.ts';
import { eventually } from '../../reconcile/eventually.ts';
import { startTestServer, type TestServer } from '../../reconcile/test-server.ts';
import { replicaSetController } from '../replica-set/controller.ts';
import { serviceAccountController } from '../service-account/controller.ts';
import { disruptionController } from './controller.ts';

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer([serviceAccountController, replicaSetController, disruptionController]);
  await eventually(server.client, serviceaccounts, (list) =>
    list.some(({ metadata }) => metadata.namespace === 'default'),
  );
});
afterEach(async () => {
  await server.stop();
});

const labels = { app: 'web' };
const place = { namespace: 'default', name: 'web' };

async function createSet(replicas: number): Promise<void> {
  await server.client.for(replicasets).create({
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: place,
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } },
    },
  });
}

async function createBudget(spec: PodDisruptionBudgetSpec): Promise<void> {
  await server.client.for(poddisruptionbudgets).create({
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: place,
    spec: { selector: { matchLabels: labels }, ...spec },
  });
}

async function allReady(count: number): Promise<readonly string[]> {
  const created = await eventually(server.client, pods, (list) => list.length === count);
  for (const pod of created) {
    const status: Pod['status'] = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
    await server.client.for(pods).updateStatus({ ...pod, status });
  }
  return created.map(({ metadata }) => metadata.name);
}

/** Waits until so many disruptions are allowed of so many expected pods; returns the condition's reason. */
async function allows(disruptionsAllowed: number, expectedPods: number): Promise<string | undefined> {
  const [budget] = await eventually(server.client, poddisruptionbudgets, ([one]) => {
    const { status } = one ?? {};
    return status?.disruptionsAllowed === disruptionsAllowed && status.expectedPods === expectedPods;
  });
  return budget?.status?.conditions?.[0]?.reason;
}

it('a budget follows the pods and what their controller wants', async () => {
  await createSet(3);
  await createBudget({ maxUnavailable: '40%' });
  await allReady(3);
  expect(await allows(2, 3)).toBe('SufficientPods');
  const scale = { spec: { replicas: 5 } };
  await server.client.for(replicasets).patch(place, scale, { type: 'application/merge-patch+json' });
  expect(await allows(0, 5)).toBe('InsufficientPods');
});

it('evictions are granted until the budget is used up', async () => {
  await createSet(2);
  await createBudget({ minAvailable: 1 });
  const [first = '', second = ''] = await allReady(2);
  await allows(1, 2);
  const evict = async (name: string): Promise<unknown> =>
    await server.client.for(pods).createSubresource({ namespace: 'default', name }, 'eviction', {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name, namespace: 'default' },
    });
  await evict(first);
  await expect(evict(second)).rejects.toThrow(
    "Cannot evict pod as it would violate the pod's disruption budget.",
  );
});

it('pods of a kind that cannot be scaled make the budget fail safe', async () => {
  await server.client.for(pods).create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'a',
      namespace: 'default',
      labels,
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'j', uid: 'u', controller: true }],
    },
    spec: { containers: [{ name: 'c', image: 'i' }] },
  });
  await createBudget({ maxUnavailable: 1 });
  const [budget] = await eventually(
    server.client,
    poddisruptionbudgets,
    ([one]) => one?.status?.conditions !== undefined,
  );
  expect(budget?.status?.conditions).toMatchObject([
    { reason: 'SyncFailed', message: 'jobs.batch does not implement the scale subresource' },
  ]);
});
