import { describe, expect, it } from 'vitest';
import type {
  NodeSelectorTerm,
  PersistentVolumeClaimSpec,
  PersistentVolumeSpec,
} from '../../../api/core/v1.gen.ts';
import type { CSIStorageCapacity, StorageClass } from '../../../api/storage/v1.gen.ts';
import { node } from '../testdata/objects.ts';
import type { Claim, ClaimedVolume, PodClaims } from './claim-volumes.ts';
import { volumeFinder, type VolumeLookup } from './find-volumes.ts';

const creationTimestamp = '2026-01-01T00:00:00Z';
const nodes = [
  node('a1', { labels: { zone: 'a' } }),
  node('a2', { labels: { zone: 'a' } }),
  node('b1', { labels: { zone: 'b' } }),
];

function claim(
  name: string,
  spec: PersistentVolumeClaimSpec = {},
  annotations: Readonly<Record<string, string>> = {},
): Claim {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name, namespace: 'default', uid: name, resourceVersion: '1', creationTimestamp, annotations },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'late',
      resources: { requests: { storage: '1Gi' } },
      ...spec,
    },
  };
}

function volume(name: string, spec: PersistentVolumeSpec = {}, where?: NodeSelectorTerm): ClaimedVolume {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name, uid: name, resourceVersion: '1', creationTimestamp },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'late',
      capacity: { storage: '1Gi' },
      ...(where && { nodeAffinity: { required: { nodeSelectorTerms: [where] } } }),
      ...spec,
    },
    status: { phase: 'Available' },
  };
}

const on = (key: string, value: string): NodeSelectorTerm => ({
  matchExpressions: [{ key, operator: 'In', values: [value] }],
});
const host = (name: string): NodeSelectorTerm => on('kubernetes.io/hostname', name);
const sized = (storage: string): PersistentVolumeSpec => ({ capacity: { storage } });

const late: StorageClass = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'late' },
  provisioner: 'kubernetes.io/no-provisioner',
  volumeBindingMode: 'WaitForFirstConsumer',
};
const dynamic: StorageClass = { ...late, provisioner: 'csi.example.com' };
const capacity = (zone: string, size: string, maximumVolumeSize?: string): CSIStorageCapacity => ({
  apiVersion: 'storage.k8s.io/v1',
  kind: 'CSIStorageCapacity',
  metadata: { name: zone, namespace: 'default' },
  storageClassName: 'late',
  capacity: size,
  ...(maximumVolumeSize !== undefined && { maximumVolumeSize }),
  nodeTopology: { matchLabels: { zone } },
});

interface World {
  readonly volumes?: readonly ClaimedVolume[];
  readonly storageClass?: StorageClass;
  /** The driver publishes capacities when there are any. */
  readonly capacities?: readonly CSIStorageCapacity[];
}

/** For each node: what would be bound and provisioned, or what is in the way. */
function answers(
  claims: Partial<PodClaims>,
  { volumes = [], storageClass = late, capacities }: World,
): string[] {
  const lookup: VolumeLookup = {
    volume: (name) => volumes.find(({ metadata }) => metadata.name === name),
    volumesOfClass: (name) => volumes.filter(({ spec }) => spec.storageClassName === name),
    storageClass: (name) => (name === 'late' ? storageClass : undefined),
    driver: (name) =>
      capacities && {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'CSIDriver',
        metadata: { name },
        spec: { storageCapacity: true },
      },
    capacities: () => capacities ?? [],
  };
  const find = volumeFinder({ bound: [], delayed: [], immediate: [], ...claims }, lookup);
  return nodes.map((node) => {
    const found = find(node);
    if (!('bindings' in found)) return found.join(', ');
    const bound = found.bindings.map(({ claim, volume }) => `${claim.metadata.name}=${volume.metadata.name}`);
    return [...bound, ...found.provisions.map(({ metadata }) => `make ${metadata.name}`)].join(' ') || 'ok';
  });
}

describe('volumeFinder', () => {
  it.each<[string, Partial<PodClaims>, World, string[]]>([
    [
      'goes where the bound volume is',
      { bound: [claim('c', { volumeName: 'v' })] },
      { volumes: [volume('v', {}, on('zone', 'a'))] },
      ['ok', 'ok', 'node-affinity'],
    ],
    [
      'goes nowhere when the bound volume is gone',
      { bound: [claim('c', { volumeName: 'v' })] },
      {},
      ['missing-volume', 'missing-volume', 'missing-volume'],
    ],
    [
      'binds to a local volume',
      { delayed: [claim('c')] },
      { volumes: [volume('v', {}, host('a2'))] },
      ['no-volume', 'c=v', 'no-volume'],
    ],
    [
      'takes the smallest that is large enough, local or not',
      { delayed: [claim('c')] },
      {
        volumes: [
          volume('tiny', sized('1Mi')),
          volume('big', sized('10Gi'), host('a1')),
          volume('shared', sized('5Gi')),
          volume('snug', sized('2Gi'), host('a2')),
        ],
      },
      ['c=shared', 'c=snug', 'c=shared'],
    ],
    [
      'prefers the volume that names the claim',
      { delayed: [claim('c')] },
      {
        volumes: [
          volume('v'),
          volume('mine', { ...sized('9Gi'), claimRef: { namespace: 'default', name: 'c' } }),
        ],
      },
      ['c=mine', 'c=mine', 'c=mine'],
    ],
    [
      'leaves alone what names another claim',
      { delayed: [claim('c')] },
      { volumes: [volume('v', { claimRef: { namespace: 'default', name: 'd' } })] },
      ['no-volume', 'no-volume', 'no-volume'],
    ],
    [
      'needs the access mode and the volume mode',
      { delayed: [claim('c')] },
      { volumes: [volume('v', { accessModes: ['ReadOnlyMany'] }), volume('w', { volumeMode: 'Block' })] },
      ['no-volume', 'no-volume', 'no-volume'],
    ],
    [
      'gives each claim a volume of its own, the smaller claim first',
      { delayed: [claim('large', { resources: { requests: { storage: '2Gi' } } }), claim('small')] },
      { volumes: [volume('v1', sized('2Gi')), volume('v2', sized('3Gi'))] },
      ['small=v1 large=v2', 'small=v1 large=v2', 'small=v1 large=v2'],
    ],
    [
      'has volumes made when none fits',
      { delayed: [claim('c')] },
      { storageClass: dynamic, volumes: [volume('v', {}, host('a1'))] },
      ['c=v', 'make c', 'make c'],
    ],
    [
      'has them made only where the class allows',
      { delayed: [claim('c')] },
      {
        storageClass: {
          ...dynamic,
          allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: ['b'] }] }],
        },
      },
      ['no-volume', 'no-volume', 'make c'],
    ],
    [
      'keeps to the node that was chosen before',
      { delayed: [claim('c', {}, { 'volume.kubernetes.io/selected-node': 'a2' })] },
      { storageClass: dynamic },
      ['no-volume', 'make c', 'no-volume'],
    ],
    [
      'looks for published capacity',
      { delayed: [claim('c')] },
      { storageClass: dynamic, capacities: [capacity('a', '1Gi'), capacity('b', '1Mi')] },
      ['make c', 'make c', 'no-space'],
    ],
    [
      'prefers the published maximum size',
      { delayed: [claim('c')] },
      { storageClass: dynamic, capacities: [capacity('a', '10Gi', '1Mi'), capacity('b', '1Mi', '2Gi')] },
      ['no-space', 'no-space', 'make c'],
    ],
    [
      'names both conflicts',
      { bound: [claim('b', { volumeName: 'v' })], delayed: [claim('c')] },
      { volumes: [volume('v', { claimRef: { namespace: 'default', name: 'b' } }, on('zone', 'a'))] },
      ['no-volume', 'no-volume', 'node-affinity, no-volume'],
    ],
  ])('%s', (_name, ...[claims, world, expected]) => {
    expect(answers(claims, world)).toEqual(expected);
  });
});
