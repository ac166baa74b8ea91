import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  nodes,
  persistentvolumeclaims,
  persistentvolumes,
  pods,
  serviceaccounts,
} from '../../api/core/v1.gen.ts';
import { volumeattachments, type VolumeAttachment } from '../../api/storage/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import type { Controller } from '../../reconcile/controller.ts';
import { eventually } from '../../reconcile/eventually.ts';
import { startFaultBench, type Convergence, type FaultBench } from '../../reconcile/fault-bench.ts';
import { randomFaults } from '../../reconcile/faulty-transport.ts';
import { persistentVolumeBinder } from '../persistent-volume-binder/controller.ts';
import { serviceAccountController } from '../service-account/controller.ts';
import { attachDetachController } from './controller.ts';

/** Plays the attacher of a CSI driver: what is asked for is attached at once. */
const fakeAttacher: Controller = {
  name: 'fake-attacher',
  aliases: [],
  start({ client, informers }) {
    const pending = new Set<Promise<void>>();
    async function attach(attachment: Live<VolumeAttachment>): Promise<void> {
      if (attachment.status?.attached) return;
      try {
        await client.for(volumeattachments).updateStatus({ ...attachment, status: { attached: true } });
      } catch (error) {
        if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error;
      }
    }
    const see = (attachment: Live<VolumeAttachment>): void => {
      const work = attach(attachment);
      pending.add(work);
      void work.finally(() => pending.delete(work));
    };
    informers.for(volumeattachments).addHandler({ onAdd: see, onUpdate: see });
    return { stop: async () => void (await Promise.all(pending)) };
  },
};

let bench: FaultBench;
beforeAll(async () => {
  bench = await startFaultBench({
    controllers: [attachDetachController],
    bystanders: [fakeAttacher, persistentVolumeBinder, serviceAccountController],
  });
});
afterAll(() => bench.stop());

const attaching: Convergence = {
  async arrange({ client, namespace }) {
    const modes = { accessModes: ['ReadWriteOnce'] } as const;
    await client
      .for(nodes)
      .create({ apiVersion: 'v1', kind: 'Node', metadata: { name: namespace }, spec: {} });
    await client.for(persistentvolumes).create({
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: namespace },
      spec: {
        ...modes,
        capacity: { storage: '1Gi' },
        csi: { driver: 'disk.example.com', volumeHandle: namespace },
        claimRef: { namespace, name: 'c' },
      },
    });
    await client.for(persistentvolumeclaims).create({
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { namespace, name: 'c' },
      spec: { ...modes, storageClassName: '', resources: { requests: { storage: '1Gi' } } },
    });
    await eventually(client, serviceaccounts, (list) => list.length > 0, { namespace });
    await client.for(pods).create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { namespace, name: 'p' },
      spec: {
        nodeName: namespace,
        containers: [{ name: 'c', image: 'i' }],
        volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }],
      },
    });
  },
  async settle({ client, namespace }) {
    const ofNode = { fieldSelector: `metadata.name=${namespace}` };
    const { items } = await client.for(pods).list({ namespace });
    if (items.length > 0) {
      const [node] = await eventually(
        client,
        nodes,
        ([one]) => one?.status?.volumesAttached !== undefined,
        ofNode,
      );
      expect(node?.status?.volumesAttached).toEqual([
        { name: `kubernetes.io/csi/disk.example.com^${namespace}`, devicePath: '' },
      ]);
      await client.for(pods).delete({ namespace, name: 'p' }, { gracePeriodSeconds: 0 });
    }
    await eventually(
      client,
      volumeattachments,
      (list) => !list.some(({ spec }) => spec.nodeName === namespace),
    );
    await eventually(client, nodes, ([one]) => one?.status?.volumesAttached === undefined, ofNode);
  },
};

it('a volume is attached once and detached whichever call fails', async () => {
  expect(await bench.playAll(attaching)).toBeGreaterThan(8);
}, 120_000);

it.each([1, 2, 3])(
  'faults all over the place (seed %d) leave nothing attached',
  async (seed) => {
    expect(await bench.play(attaching, randomFaults(seed, { probability: 0.3, calls: 40 }))).toBeGreaterThan(
      0,
    );
  },
  60_000,
);
