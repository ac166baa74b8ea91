import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  events,
  persistentvolumeclaims,
  persistentvolumes,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type PersistentVolumeSpec,
} from '../../api/core/v1.gen.ts';
import { storageclasses, type StorageClass } from '../../api/storage/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { eventually } from '../../reconcile/eventually.ts';
import { startTestServer, type TestServer } from '../../reconcile/test-server.ts';
import { claimProtectionController } from '../storage-protection/claim-protection.ts';
import { persistentVolumeBinder } from './controller.ts';

let server: TestServer;
beforeEach(async () => {
  server = await startTestServer([persistentVolumeBinder, claimProtectionController]);
});
afterEach(async () => server.stop());

const volume = (name: string, storage: string, spec: PersistentVolumeSpec = {}): PersistentVolume => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name },
  spec: {
    accessModes: ['ReadWriteOnce'],
    capacity: { storage },
    hostPath: { path: '/data', type: '' },
    ...spec,
  },
});
const claim = (name: string, storage: string, storageClassName?: string): PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { namespace: 'default', name },
  spec: {
    accessModes: ['ReadWriteOnce'],
    resources: { requests: { storage } },
    ...(storageClassName !== undefined && { storageClassName }),
  },
});
const storageClass = (name: string, annotations: Readonly<Record<string, string>> = {}): StorageClass => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name, annotations },
  provisioner: 'example.com/disk',
});

const claims = (
  check: (list: readonly Live<PersistentVolumeClaim>[]) => boolean,
): Promise<readonly Live<PersistentVolumeClaim>[]> =>
  eventually(server.client, persistentvolumeclaims, check);
const volumes = (
  check: (list: readonly Live<PersistentVolume>[]) => boolean,
): Promise<readonly Live<PersistentVolume>[]> => eventually(server.client, persistentvolumes, check);

describe('the binder', () => {
  it('binds many claims to as many volumes, one each', async () => {
    const { client } = server;
    const numbers = Array.from({ length: 20 }, (_, index) => index + 1);
    await Promise.all(
      numbers.map((size) => client.for(persistentvolumes).create(volume(`v${size}`, `${size}Gi`))),
    );
    await Promise.all(
      numbers.map((size) => client.for(persistentvolumeclaims).create(claim(`c${size}`, '1Gi', ''))),
    );
    const bound = await claims(
      (list) => list.length === 20 && list.every(({ status }) => status?.phase === 'Bound'),
    );
    const held = await volumes((list) => list.every(({ status }) => status?.phase === 'Bound'));
    expect(new Set(bound.map(({ spec }) => spec.volumeName)).size).toBe(20);
    for (const { metadata, spec, status } of bound) {
      const own = held.find((candidate) => candidate.metadata.name === spec.volumeName);
      expect([own?.spec.claimRef?.uid, own?.spec.capacity]).toEqual([metadata.uid, status?.capacity]);
    }
  });

  it('takes volumes that come later, releases them, and offers them again', async () => {
    const { client } = server;
    await client.for(persistentvolumeclaims).create(claim('c', '1Gi', ''));
    await eventually(client, events, (list) => list.some(({ reason }) => reason === 'FailedBinding'));
    await client.for(persistentvolumes).create(volume('v', '1Gi'));
    await claims(([one]) => one?.status?.phase === 'Bound');
    await client.for(persistentvolumeclaims).delete({ namespace: 'default', name: 'c' });
    await volumes(([one]) => one?.status?.phase === 'Released');
    await client
      .for(persistentvolumes)
      .patch({ name: 'v' }, { spec: { claimRef: null } }, { type: 'application/merge-patch+json' });
    await volumes(([one]) => one?.status?.phase === 'Available');
    await client.for(persistentvolumeclaims).create(claim('c', '1Gi', ''));
    await claims(([one]) => one?.status?.phase === 'Bound');
    await client.for(persistentvolumes).delete({ name: 'v' });
    const withoutFinalizers = { metadata: { finalizers: null } };
    await client
      .for(persistentvolumes)
      .patch({ name: 'v' }, withoutFinalizers, { type: 'application/merge-patch+json' });
    const [lost] = await claims(([one]) => one?.status?.phase === 'Lost');
    expect(lost?.status).toEqual({ phase: 'Lost' });
  });

  it('gives waiting claims a default class that comes later and asks its provisioner', async () => {
    const { client } = server;
    await client.for(persistentvolumeclaims).create(claim('c', '1Gi'));
    await eventually(client, events, (list) => list.some(({ reason }) => reason === 'FailedBinding'));
    await client
      .for(storageclasses)
      .create(storageClass('fast', { 'storageclass.kubernetes.io/is-default-class': 'true' }));
    const [asked] = await claims(([one]) => one?.metadata.annotations !== undefined);
    const told = await eventually(client, events, (list) =>
      list.some(({ reason }) => reason === 'ExternalProvisioning'),
    );
    const provisioned = volume('made', '1Gi', {
      storageClassName: 'fast',
      claimRef: { namespace: 'default', name: 'c', uid: asked?.metadata.uid ?? '' },
    });
    await client.for(persistentvolumes).create(provisioned);
    const [bound] = await claims(([one]) => one?.status?.phase === 'Bound');
    expect([
      asked?.spec.storageClassName,
      asked?.metadata.annotations,
      bound?.spec.volumeName,
      told.map(({ source }) => source?.component),
    ]).toEqual([
      'fast',
      {
        'volume.beta.kubernetes.io/storage-provisioner': 'example.com/disk',
        'volume.kubernetes.io/storage-provisioner': 'example.com/disk',
      },
      'made',
      ['persistentvolume-controller', 'persistentvolume-controller'],
    ]);
  });
});
