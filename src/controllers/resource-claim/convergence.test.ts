import { afterAll, beforeAll, expect, it } from 'vitest';
import { persistentvolumeclaims, pods, serviceaccounts } from '../../api/core/v1.gen.ts';
import { resourceclaims, resourceclaimtemplates } from '../../api/resource/v1.gen.ts';
import { eventually } from '../../reconcile/eventually.ts';
import { startFaultBench, type Convergence, type FaultBench } from '../../reconcile/fault-bench.ts';
import { randomFaults } from '../../reconcile/faulty-transport.ts';
import { ephemeralVolumeController } from '../ephemeral-volume/controller.ts';
import { serviceAccountController } from '../service-account/controller.ts';
import { resourceClaimController } from './controller.ts';

let bench: FaultBench;
beforeAll(async () => {
  bench = await startFaultBench({
    controllers: [resourceClaimController, ephemeralVolumeController],
    bystanders: [serviceAccountController],
  });
});
afterAll(() => bench.stop());

const claiming: Convergence = {
  async arrange({ client, namespace }) {
    await eventually(client, serviceaccounts, (list) => list.length > 0, { namespace });
    await client.for(resourceclaimtemplates).create({
      apiVersion: 'resource.k8s.io/v1',
      kind: 'ResourceClaimTemplate',
      metadata: { namespace, name: 't' },
      spec: { spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'gpu' } }] } } },
    });
    await client.for(pods).create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace, name: 'p' },
      spec: {
        containers: [{ name: 'c', image: 'i' }],
        resourceClaims: [
          { name: 'one', resourceClaimTemplateName: 't' },
          { name: 'two', resourceClaimTemplateName: 't' },
        ],
        volumes: [
          {
            name: 'scratch',
            ephemeral: {
              volumeClaimTemplate: {
                spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
              },
            },
          },
        ],
      },
    });
  },
  async settle({ client, namespace }) {
    const [pod] = await eventually(
      client,
      pods,
      ([one]) => one?.status?.phase === 'Succeeded' || one?.status?.resourceClaimStatuses?.length === 2,
      { namespace },
    );
    await eventually(client, persistentvolumeclaims, (list) => list.length === 1, { namespace });
    if (pod && pod.status?.phase !== 'Succeeded') {
      const told = pod.status?.resourceClaimStatuses
        ?.map(({ resourceClaimName }) => resourceClaimName)
        .sort();
      const claims = await eventually(client, resourceclaims, (list) => list.length === 2, { namespace });
      expect(told).toEqual(claims.map(({ metadata }) => metadata.name).sort());
      await client.for(pods).updateStatus({ ...pod, status: { ...pod.status, phase: 'Succeeded' } });
    }
    await eventually(client, resourceclaims, (list) => list.length === 0, { namespace });
  },
};

it('a pod has one claim for each entry, and none when it is done, whichever call fails', async () => {
  expect(await bench.playAll(claiming)).toBeGreaterThan(10);
}, 120_000);

it.each([1, 2, 3])(
  'faults all over the place (seed %d) leave no claim behind',
  async (seed) => {
    expect(await bench.play(claiming, randomFaults(seed, { probability: 0.3, calls: 40 }))).toBeGreaterThan(
      0,
    );
  },
  60_000,
);
