import { afterAll, beforeAll, expect, it } from 'vitest';
import { endpoints, pods, serviceaccounts, services, type Pod } from '../../api/core/v1.gen.ts';
import { endpointslices } from '../../api/discovery/v1.gen.ts';
import { eventually } from '../../reconcile/eventually.ts';
import { startFaultBench, type Convergence, type FaultBench } from '../../reconcile/fault-bench.ts';
import { randomFaults } from '../../reconcile/faulty-transport.ts';
import { endpointSliceMirroringController } from '../endpoint-slice-mirroring/controller.ts';
import { endpointsController } from '../endpoints/controller.ts';
import { serviceAccountController } from '../service-account/controller.ts';
import { endpointSliceController } from './controller.ts';

let bench: FaultBench;
beforeAll(async () => {
  bench = await startFaultBench({
    controllers: [endpointsController, endpointSliceController, endpointSliceMirroringController],
    bystanders: [serviceAccountController],
  });
});
afterAll(() => bench.stop());

const pod = (namespace: string, name: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace, name, labels: { app: 'web' } },
  spec: { nodeName: 'n', automountServiceAccountToken: false, containers: [{ name: 'c', image: 'i' }] },
});

const following: Convergence = {
  async arrange({ client, namespace }) {
    const ports = [{ port: 80, protocol: 'TCP' as const }];
    const metadata = { namespace, name: 'web' };
    const service = { apiVersion: 'v1', kind: 'Service' } as const;
    await client.for(services).create({ ...service, metadata, spec: { ports, selector: { app: 'web' } } });
    const byHand = { namespace, name: 'by-hand' };
    await client.for(services).create({ ...service, metadata: byHand, spec: { ports } });
    await client.for(endpoints).create({
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: byHand,
      subsets: [{ addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 80, protocol: 'TCP' }] }],
    });
  },
  async settle({ client, namespace }) {
    for (const [index, name] of ['a', 'b'].entries()) {
      const { items } = await client.for(pods).list({ namespace, fieldSelector: `metadata.name=${name}` });
      if (items.length > 0) continue;
      await eventually(client, serviceaccounts, (list) => list.length > 0, { namespace });
      const made = await client.for(pods).create(pod(namespace, name));
      const podIP = `10.0.0.${index + 1}`;
      const conditions = [{ type: 'Ready', status: 'True' }];
      await client
        .for(pods)
        .updateStatus({ ...made, status: { phase: 'Running', podIP, podIPs: [{ ip: podIP }], conditions } });
    }
    await eventually(
      client,
      endpointslices,
      (list) => list.length === 2 && list.flatMap((slice) => slice.endpoints).length === 3,
      { namespace },
    );
    await eventually(
      client,
      endpoints,
      (list) =>
        list.flatMap(({ subsets = [] }) => subsets.flatMap(({ addresses = [] }) => addresses)).length === 3,
      { namespace },
    );
  },
};

it('endpoints follow services and pods whichever call fails', async () => {
  expect(await bench.playAll(following)).toBeGreaterThan(8);
}, 120_000);

it.each([1, 2, 3])(
  'faults all over the place (seed %d) leave no slice twice',
  async (seed) => {
    expect(await bench.play(following, randomFaults(seed, { probability: 0.3, calls: 40 }))).toBeGreaterThan(
      0,
    );
  },
  60_000,
);
