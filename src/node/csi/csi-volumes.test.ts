import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../base/clock.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import { attachmentName } from '../../api/storage/csi-volume.ts';
import type { CSIDriver, CSIDriverSpec, VolumeAttachment } from '../../api/storage/v1.gen.ts';
import { FakeApi } from '../testing/fake-api.ts';
import type { RequestOf, ResponseOf } from '../plugins/plugin-connection.ts';
import type { CsiCalls } from './csi-protocol.ts';
import type { CsiMount } from './csi-request.ts';
import { createCsiVolumes, type CsiVolumes } from './csi-volumes.ts';
import type { CsiDriverOnNode } from './csi-drivers.ts';

let directory: string;
let api: FakeApi;
let calls: { readonly method: string; readonly request: object }[];
let uses: string[][];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'csi-volumes-'));
  api = new FakeApi();
  calls = [];
  uses = [];
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** A driver that makes the folders that it is asked for, and takes them away again. */
function driver(abilities: readonly number[]): CsiDriverOnNode {
  const act = async (method: string, request: object): Promise<void> => {
    calls.push({ method, request });
    const { target_path, staging_target_path }: Readonly<Record<string, string>> = { ...request };
    const path = String(target_path ?? staging_target_path);
    if (method === 'NodePublishVolume') await mkdir(path, { recursive: true });
    if (method.startsWith('NodeUn')) await rm(path, { recursive: true, force: true });
  };
  return {
    name: 'd.example',
    info: { node_id: 'n', max_volumes_per_node: 0, accessible_topology: null },
    abilities: new Set(abilities),
    pathFor: (path) => path,
    connection: {
      call: async <Name extends keyof CsiCalls>(name: Name, request: RequestOf<CsiCalls, Name>) => {
        await act(name, request);
        return {} as ResponseOf<CsiCalls, Name>;
      },
      close: () => undefined,
    },
  };
}

function volumes(
  abilities: readonly number[] = [1],
  spec: CSIDriverSpec = { attachRequired: false },
): CsiVolumes {
  const object: CSIDriver = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'CSIDriver',
    metadata: { name: 'd.example' },
    spec,
  };
  api.put('csidrivers', object);
  const made: CsiVolumes = createCsiVolumes({
    client: api.client,
    clock: systemClock,
    nodeName: 'n1',
    directory,
    driver: (name) => (name === 'd.example' ? driver(abilities) : undefined),
    token: (_pod, audience) => Promise.resolve({ token: `for ${audience}`, refreshAt: 0, expiresAt: 0 }),
    onUseChange: () => uses.push([...made.inUse()]),
  });
  return made;
}

const mount: CsiMount = {
  name: 'pv',
  driver: 'd.example',
  handle: 'h',
  lifecycle: 'Persistent',
  readOnly: false,
  fsType: '',
  accessMode: 'ReadWriteOnce',
  mountOptions: [],
  attributes: { color: 'blue' },
};

function pod(uid: string): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: uid, namespace: 'ns', uid },
    spec: { containers: [], serviceAccountName: 'sa' },
  };
}

const methods = (): readonly string[] => calls.map(({ method }) => method);

it('stages a volume for the first pod and unstages it after the last', async () => {
  const csi = volumes();
  await csi.publish(pod('a'), mount);
  await csi.publish(pod('b'), mount);
  await csi.unpublish('a');
  expect(methods()).toEqual([
    'NodeStageVolume',
    'NodePublishVolume',
    'NodeStageVolume',
    'NodePublishVolume',
    'NodeUnpublishVolume',
  ]);
  await csi.unpublish('b');
  await csi.unpublish('b');
  expect(methods().slice(5)).toEqual(['NodeUnpublishVolume', 'NodeUnstageVolume']);
  expect(await readdir(join(directory, 'plugins/kubernetes.io/csi/d.example'))).toEqual([]);
});

it('lets an agent that comes later take back what an earlier one mounted', async () => {
  await volumes().publish(pod('a'), mount);
  await volumes().unpublish('a');
  expect(methods().slice(2)).toEqual(['NodeUnpublishVolume', 'NodeUnstageVolume']);
});

it('tells the driver of the pod and hands it tokens where its object says so', async () => {
  const csi = volumes([], {
    attachRequired: false,
    podInfoOnMount: true,
    tokenRequests: [{ audience: 'vault' }],
  });
  await csi.publish(pod('a'), mount);
  expect(calls).toMatchObject([
    {
      method: 'NodePublishVolume',
      request: {
        staging_target_path: '',
        volume_context: {
          color: 'blue',
          'csi.storage.k8s.io/pod.name': 'a',
          'csi.storage.k8s.io/serviceAccount.name': 'sa',
          'csi.storage.k8s.io/ephemeral': 'false',
          'csi.storage.k8s.io/serviceAccount.tokens':
            '{"vault":{"token":"for vault","expirationTimestamp":"1970-01-01T00:00:00Z"}}',
        },
      },
    },
  ]);
});

it('waits for the attacher, says meanwhile that the volume is in use, and passes on what the attacher said', async () => {
  const csi = volumes([1], {});
  const published = csi.publish(pod('a'), mount);
  await expect.poll(() => uses).toEqual([['kubernetes.io/csi/d.example^h']]);
  expect(calls).toEqual([]);
  const attachment: VolumeAttachment = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttachment',
    metadata: { name: attachmentName({ driver: 'd.example', handle: 'h' }, 'n1') },
    spec: { attacher: 'd.example', nodeName: 'n1', source: { persistentVolumeName: 'pv' } },
    status: { attached: true, attachmentMetadata: { device: '/dev/x' } },
  };
  api.put('volumeattachments', attachment);
  await published;
  expect(calls[0]).toMatchObject({ request: { publish_context: { device: '/dev/x' } } });
  await csi.unpublish('a');
  expect(uses).toEqual([['kubernetes.io/csi/d.example^h'], []]);
});

it.each<[string, Partial<CsiMount>, string]>([
  [
    'a driver that has not registered',
    { driver: 'other.example' },
    'driver name other.example not found in the list of registered CSI drivers',
  ],
  [
    'an inline volume of a driver for claims only',
    { lifecycle: 'Ephemeral' },
    'volume mode "Ephemeral" not supported by driver d.example (only supports ["Persistent"])',
  ],
  [
    'a secret that is not there',
    { publishSecret: { namespace: 'ns', name: 'gone' } },
    'failed to get secret ns/gone: secrets "gone" not found',
  ],
])('refuses %s', async (_, change, message) => {
  await expect(volumes().publish(pod('a'), { ...mount, ...change })).rejects.toThrow(message);
});
