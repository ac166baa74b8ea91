import { describe, expect, it } from 'vitest';
import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from '../../../api/core/v1.gen.ts';
import type { CSINode, StorageClass, VolumeAttachment } from '../../../api/storage/v1.gen.ts';
import type { KubeObject, Live } from '../../../machinery/object.ts';
import { tryPod } from '../../try-pod.ts';
import { node, pod } from '../testdata/objects.ts';

type Placed = readonly (readonly [Live<Pod>, string])[];

const live = (name: string, namespace?: string): Live<KubeObject>['metadata'] => ({
  name,
  uid: name,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
  ...(namespace !== undefined && { namespace }),
});

function claim(name: string, spec: Partial<PersistentVolumeClaim['spec']> = {}): Live<PersistentVolumeClaim> {
  const bound = spec.volumeName === undefined ? {} : { 'pv.kubernetes.io/bind-completed': 'yes' };
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { ...live(name, 'default'), annotations: bound },
    spec: { accessModes: ['ReadWriteOnce'], storageClassName: 'fast', ...spec },
  };
}

const volume = (
  name: string,
  labels: Readonly<Record<string, string>> = {},
  spec: Partial<PersistentVolume['spec']> = {},
): Live<PersistentVolume> => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { ...live(name), labels },
  spec: { storageClassName: 'fast', ...spec },
});

const csi = (handle: string): Partial<PersistentVolume['spec']> => ({
  csi: { driver: 'csi.example.com', volumeHandle: handle },
});

const storageClass = (mode: 'Immediate' | 'WaitForFirstConsumer'): Live<StorageClass> => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: live('fast'),
  provisioner: 'csi.example.com',
  volumeBindingMode: mode,
});

const csiNode = (name: string, count: number): Live<CSINode> => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'CSINode',
  metadata: live(name),
  spec: {
    drivers: [{ name: 'csi.example.com', nodeID: name, topologyKeys: [], allocatable: { count } }],
  },
});

const attachment = (volumeName: string, nodeName: string): Live<VolumeAttachment> => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'VolumeAttachment',
  metadata: live(`attached-${volumeName}`),
  spec: { attacher: 'csi.example.com', nodeName, source: { persistentVolumeName: volumeName } },
});

const using = (name: string, ...claims: string[]): Live<Pod> =>
  pod(name, {
    volumes: claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } })),
  });
const withVolume = (name: string, source: Omit<Volume, 'name'>): Live<Pod> =>
  pod(name, { volumes: [{ name: 'v', ...source }] });

const zone = 'topology.kubernetes.io/zone';
const nodes = [node('a', { labels: { [zone]: 'a' } }), node('b', { labels: { [zone]: 'b' } })];
const disk: Omit<Volume, 'name'> = { awsElasticBlockStore: { volumeID: 'x' } };
/** A rejection before any node was looked at: nothing is searched for room, in upstream's strange words. */
const unlooked = (reason: string): string => `0/2 nodes are available: ${reason}. not found`;
const unhelpful = (reasons: string): string =>
  `0/2 nodes are available: ${reasons}. no new claims to deallocate, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.`;

describe('volume plug-ins', () => {
  it.each<[string, Live<Pod>, readonly Live<KubeObject>[], Placed, string | RegExp]>([
    ['waits for a claim to exist', using('p', 'c'), [], [], unlooked('persistentvolumeclaim "c" not found')],
    [
      'waits for an ephemeral claim to be made',
      withVolume('p', { ephemeral: {} }),
      [],
      [],
      unlooked('waiting for ephemeral volume controller to create the persistentvolumeclaim "p-v"'),
    ],
    [
      'waits for a claim to be bound',
      using('p', 'c'),
      [claim('c'), storageClass('Immediate')],
      [],
      unlooked('pod has unbound immediate PersistentVolumeClaims'),
    ],
    [
      'has a volume made where the pod goes',
      using('p', 'c'),
      [claim('c'), storageClass('WaitForFirstConsumer')],
      [],
      /^[ab]$/,
    ],
    [
      'goes to the zone that the volume names',
      using('p', 'c'),
      [claim('c', { volumeName: 'v' }), volume('v', { [zone]: 'b' })],
      [],
      /^b$/,
    ],
    [
      'finds no zone of the volume',
      using('p', 'c'),
      [claim('c', { volumeName: 'v' }), volume('v', { [zone]: 'c__d' })],
      [],
      unhelpful('2 node(s) had no available volume zone'),
    ],
    [
      'shares a claim with pods elsewhere',
      using('p', 'c'),
      [claim('c', { volumeName: 'v' }), volume('v')],
      [[using('q', 'c'), 'a']],
      /^b$/,
    ],
    [
      'uses a claim of one pod only once',
      using('p', 'c'),
      [claim('c', { volumeName: 'v', accessModes: ['ReadWriteOncePod'] }), volume('v')],
      [[using('q', 'c'), 'a']],
      /2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode\. /,
    ],
    [
      'uses a disk once on each node',
      withVolume('p', disk),
      [],
      [
        [withVolume('q', disk), 'a'],
        [withVolume('r', disk), 'b'],
      ],
      /2 node\(s\) had no available disk\. /,
    ],
    ['uses a disk on another node', withVolume('p', disk), [], [[withVolume('q', disk), 'a']], /^b$/],
    [
      'counts volumes of a driver',
      using('p', 'c1'),
      [
        claim('c1', { volumeName: 'v1' }),
        claim('c2', { volumeName: 'v2' }),
        volume('v1', {}, csi('1')),
        volume('v2', {}, csi('2')),
        csiNode('a', 1),
        csiNode('b', 0),
      ],
      [[using('q', 'c2'), 'a']],
      /2 node\(s\) exceed max volume count\. /,
    ],
    [
      'counts a volume once that several pods use',
      using('p', 'c2'),
      [claim('c2', { volumeName: 'v2' }), volume('v2', {}, csi('2')), csiNode('a', 1), csiNode('b', 0)],
      [[using('q', 'c2'), 'a']],
      /^a$/,
    ],
    [
      'counts what is still attached',
      using('p', 'c1'),
      [
        claim('c1', { volumeName: 'v1' }),
        volume('v1', {}, csi('1')),
        volume('v2', {}, csi('2')),
        csiNode('a', 1),
        csiNode('b', 1),
        attachment('v2', 'a'),
      ],
      [],
      /^b$/,
    ],
    [
      'counts volumes that are to be made',
      using('p', 'c'),
      [claim('c'), storageClass('WaitForFirstConsumer'), csiNode('a', 0), csiNode('b', 1)],
      [],
      /^b$/,
    ],
  ])('%s', (_name, ...[subject, objects, placed, expected]) => {
    expect(tryPod(subject, { nodes, objects, placed })).toMatch(expected);
  });
});
