import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  PersistentVolume,
  PersistentVolumeClaim,
  PersistentVolumeSpec,
  Pod,
} from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { claimNameOf, setUpClaim } from './claim-volume.ts';

const meta = { resourceVersion: '1', creationTimestamp: '' };
const pod: Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { namespace: 'ns', name: 'p', uid: 'u' },
  spec: { containers: [] },
};
const claim: Live<PersistentVolumeClaim> = {
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { ...meta, namespace: 'ns', name: 'c', uid: 'c' },
  spec: { volumeName: 'v' },
  status: { phase: 'Bound' },
};
const volume = (spec: PersistentVolumeSpec): Live<PersistentVolume> => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { ...meta, name: 'v', uid: 'v' },
  spec: { accessModes: ['ReadWriteOnce'], claimRef: { uid: 'c' }, ...spec },
});

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'claim-volume-'));
});
afterAll(() => rm(directory, { recursive: true }));

const setUp = (
  held: Live<PersistentVolumeClaim> | undefined,
  bound: Live<PersistentVolume> | undefined,
  made: 'by a person' | 'for the pod' = 'by a person',
): Promise<string> =>
  setUpClaim(
    pod,
    { name: 'c', made },
    { claim: () => Promise.resolve(held), volume: () => Promise.resolve(bound), nodeDirectory: directory },
  ).then(({ path }) => path);

describe('setUpClaim', () => {
  it('resolves to directories of the node', async () => {
    const made = join(directory, 'made');
    expect([
      await setUp(claim, volume({ hostPath: { path: made, type: 'DirectoryOrCreate' } })),
      await setUp(claim, volume({ local: { path: made } })),
    ]).toEqual([made, made]);
  });

  it.each<[string, Live<PersistentVolumeClaim> | undefined, Live<PersistentVolume> | undefined, string]>([
    [
      'missing',
      undefined,
      undefined,
      'failed to fetch PVC from API server: persistentvolumeclaims "c" not found',
    ],
    ['not bound', { ...claim, status: { phase: 'Pending' } }, undefined, 'PVC is not bound'],
    [
      'going',
      { ...claim, metadata: { ...claim.metadata, deletionTimestamp: 'now' } },
      undefined,
      'PVC is being deleted',
    ],
    [
      'bound to nothing',
      claim,
      undefined,
      'failed to fetch PV "v" from API server: persistentvolumes "v" not found',
    ],
    ['not the one', claim, volume({ claimRef: { uid: 'x' } }), 'PV "v" is bound to another claim'],
  ])('refuses a claim that is %s', async (_, held, bound, why) => {
    await expect(setUp(held, bound)).rejects.toThrow(`error processing PVC ns/c: ${why}`);
  });

  it.each<[string, PersistentVolumeSpec, string]>([
    [
      'of a driver',
      { csi: { driver: 'd', volumeHandle: 'h' } },
      'driver name d not found in the list of registered CSI drivers',
    ],
    ['that is not there', { local: { path: '/nowhere/at/all' } }, 'path "/nowhere/at/all" does not exist'],
    ['on a server', { nfs: { server: 's', path: '/' } }, 'no volume plugin matched name: kubernetes.io/nfs'],
    [
      'that should be a raw device',
      { local: { path: '/' }, volumeMode: 'Block' },
      'path "/" is not a block device',
    ],
  ])('refuses a volume %s', async (_, spec, why) => {
    await expect(setUp(claim, volume(spec))).rejects.toThrow(why);
  });

  it("refuses another pod's ephemeral claim", async () => {
    await expect(setUp(claim, volume({}), 'for the pod')).rejects.toThrow('pod is not owner');
  });
});

it('knows the claims of volumes by name', () => {
  expect([
    claimNameOf(pod, { name: 'a', persistentVolumeClaim: { claimName: 'x' } }),
    claimNameOf(pod, { name: 'a', ephemeral: {} }),
    claimNameOf(pod, { name: 'a', emptyDir: {} }),
  ]).toEqual(['x', 'p-a', undefined]);
});
