import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  persistentvolumeclaims,
  persistentvolumes,
  type PersistentVolume,
  type PersistentVolumeClaim,
} from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { eventually } from '../../reconcile/eventually.ts';
import {
  startFaultBench,
  type Convergence,
  type FaultBench,
  type Place,
} from '../../reconcile/fault-bench.ts';
import { randomFaults } from '../../reconcile/faulty-transport.ts';
import { claimProtectionController } from '../storage-protection/claim-protection.ts';
import { persistentVolumeBinder } from './controller.ts';

let bench: FaultBench;
beforeAll(async () => {
  bench = await startFaultBench({
    controllers: [persistentVolumeBinder],
    bystanders: [claimProtectionController],
  });
});
afterAll(() => bench.stop());

const volume = (name: string, storage: string): PersistentVolume => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'], capacity: { storage }, hostPath: { path: '/data' } },
});
const claim = (namespace: string, name: string, volumeName?: string): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { namespace, name },
  spec: {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage: '1Gi' } },
    storageClassName: '',
    ...(volumeName !== undefined && { volumeName }),
  },
});

/** Volumes are in no namespace: each run has its own, and takes those of the last one away. */
async function clear({ client }: Place): Promise<void> {
  for (const { metadata } of (await client.for(persistentvolumeclaims).list()).items) {
    const ref = { namespace: metadata.namespace ?? '', name: metadata.name };
    await client
      .for(persistentvolumeclaims)
      .patch(ref, { metadata: { finalizers: null } }, { type: 'application/merge-patch+json' });
    await client.for(persistentvolumeclaims).delete(ref);
  }
  for (const { metadata } of (await client.for(persistentvolumes).list()).items) {
    await client
      .for(persistentvolumes)
      .patch(
        { name: metadata.name },
        { metadata: { finalizers: null } },
        { type: 'application/merge-patch+json' },
      );
    await client.for(persistentvolumes).delete({ name: metadata.name });
  }
}

function arePaired(
  claims: readonly Live<PersistentVolumeClaim>[],
  volumes: readonly Live<PersistentVolume>[],
): boolean {
  return claims.every(({ metadata, spec, status }) => {
    const own = volumes.filter((one) => one.spec.claimRef?.uid === metadata.uid);
    return (
      status?.phase === 'Bound' &&
      own.length === 1 &&
      own[0]?.metadata.name === spec.volumeName &&
      own[0]?.status?.phase === 'Bound'
    );
  });
}

const binding: Convergence = {
  async arrange(place) {
    await clear(place);
    const { client, namespace } = place;
    for (const size of [1, 2, 3])
      await client.for(persistentvolumes).create(volume(`${namespace}-${size}`, `${size}Gi`));
    await client.for(persistentvolumeclaims).create(claim(namespace, 'any'));
    await client.for(persistentvolumeclaims).create(claim(namespace, 'other'));
  },
  async settle({ client, namespace }) {
    await eventually(
      client,
      persistentvolumeclaims,
      (list) => list.length === 2 && list.every(({ status }) => status?.phase === 'Bound'),
      { namespace },
    );
    const { items } = await client.for(persistentvolumeclaims).list({ namespace });
    await eventually(
      client,
      persistentvolumes,
      (list) =>
        arePaired(items, list) && list.filter(({ status }) => status?.phase === 'Available').length === 1,
    );
  },
};

const releasing: Convergence = {
  async arrange(place) {
    await clear(place);
    const { client, namespace } = place;
    await client.for(persistentvolumes).create(volume(`${namespace}-v`, '1Gi'));
    await client.for(persistentvolumeclaims).create(claim(namespace, 'c', `${namespace}-v`));
  },
  async settle({ client, namespace }) {
    const { items } = await client.for(persistentvolumeclaims).list({ namespace });
    if (items.length > 0) {
      await eventually(client, persistentvolumes, ([one]) => one?.status?.phase === 'Bound');
      await client.for(persistentvolumeclaims).delete({ namespace, name: 'c' });
    }
    await eventually(client, persistentvolumes, ([one]) => one?.status?.phase === 'Released');
  },
};

it('claims and volumes find each other whichever call fails', async () => {
  expect(await bench.playAll(binding)).toBeGreaterThan(10);
}, 120_000);

it('a volume is released whichever call fails', async () => {
  expect(await bench.playAll(releasing)).toBeGreaterThan(8);
}, 120_000);

it.each([1, 2, 3, 4])(
  'faults all over the place (seed %d) delay binding and do not prevent it',
  async (seed) => {
    expect(await bench.play(binding, randomFaults(seed, { probability: 0.3, calls: 40 }))).toBeGreaterThan(0);
  },
  60_000,
);
