import { describe, expect, it } from 'vitest';
import type { PersistentVolumeClaim, PersistentVolumeClaimSpec } from '../../api/core/v1.gen.ts';
import type { StorageClass } from '../../api/storage/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { planProvision, sourceOf, type ProvisionPlan } from './plan-provision.ts';

const SELECTED = 'volume.kubernetes.io/selected-node';
const PROVISIONER = 'volume.kubernetes.io/storage-provisioner';

function claim(
  annotations: Readonly<Record<string, string>>,
  spec: Partial<PersistentVolumeClaimSpec> = {},
): Live<PersistentVolumeClaim> {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: 'c',
      namespace: 'ns',
      uid: 'u',
      resourceVersion: '7',
      creationTimestamp: '',
      annotations,
    },
    spec: {
      accessModes: ['ReadWriteMany'],
      storageClassName: 'standard',
      resources: { requests: { storage: '1Gi' } },
      ...spec,
    },
  };
}

function storageClass(change: Partial<StorageClass> = {}): StorageClass {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'standard' },
    provisioner: 'local.kanoe.io',
    volumeBindingMode: 'WaitForFirstConsumer',
    ...change,
  };
}

function plan(
  of: Live<PersistentVolumeClaim>,
  held: StorageClass | undefined = storageClass(),
): ProvisionPlan {
  return planProvision({
    claim: of,
    machine: 'm1',
    directory: '/data',
    storageClass: () => held,
    machineOf: (node) =>
      new Map([
        ['n1', 'm1'],
        ['n2', 'm1'],
        ['far', 'm2'],
      ]).get(node),
  });
}

const ours = { [PROVISIONER]: 'local.kanoe.io' };

describe('planProvision', () => {
  it.each<[string, Live<PersistentVolumeClaim>, StorageClass | undefined, string]>([
    ['a claim that nobody waits for', claim(ours), storageClass(), 'nothing'],
    ['a claim whose pod has a node here', claim({ ...ours, [SELECTED]: 'n2' }), storageClass(), 'provision'],
    [
      'a claim whose pod has a node elsewhere',
      claim({ ...ours, [SELECTED]: 'far' }),
      storageClass(),
      'nothing',
    ],
    ['a claim whose node is gone', claim({ ...ours, [SELECTED]: 'gone' }), storageClass(), 'reschedule'],
    [
      'a class that binds at once',
      claim(ours),
      storageClass({ volumeBindingMode: 'Immediate' }),
      'provision',
    ],
    [
      'the claim of another provisioner',
      claim({ [PROVISIONER]: 'x', [SELECTED]: 'n1' }),
      storageClass(),
      'nothing',
    ],
    [
      'a claim that has a volume',
      claim({ ...ours, [SELECTED]: 'n1' }, { volumeName: 'v' }),
      storageClass(),
      'nothing',
    ],
    [
      'a class of another provisioner',
      claim({ ...ours, [SELECTED]: 'n1' }),
      storageClass({ provisioner: 'x' }),
      'nothing',
    ],
    [
      'a claim that a populator fills',
      claim({ ...ours, [SELECTED]: 'n1' }, { dataSourceRef: { apiGroup: 'x.io', kind: 'Dump', name: 'd' } }),
      storageClass(),
      'nothing',
    ],
    [
      'an unknown parameter',
      claim({ ...ours, [SELECTED]: 'n1' }),
      storageClass({ parameters: { size: 'big' } }),
      'fail',
    ],
  ])('decides about %s', (_, of, held, expected) => {
    expect(plan(of, held).do).toBe(expected);
  });

  it('makes a volume that only nodes of the machine can use', () => {
    expect(plan(claim({ ...ours, [SELECTED]: 'n1' }))).toEqual({
      do: 'provision',
      layout: 'directory',
      sizeBytes: 2 ** 30,
      volume: {
        apiVersion: 'v1',
        kind: 'PersistentVolume',
        metadata: {
          name: 'pvc-u',
          annotations: { 'pv.kubernetes.io/provisioned-by': 'local.kanoe.io' },
          finalizers: ['external-provisioner.volume.kubernetes.io/finalizer'],
        },
        spec: {
          accessModes: ['ReadWriteMany'],
          capacity: { storage: '1Gi' },
          claimRef: {
            apiVersion: 'v1',
            kind: 'PersistentVolumeClaim',
            namespace: 'ns',
            name: 'c',
            uid: 'u',
            resourceVersion: '7',
          },
          csi: {
            driver: 'local.kanoe.io',
            volumeHandle: 'pvc-u',
            volumeAttributes: { layout: 'directory', path: '/data/volumes/pvc-u' },
          },
          nodeAffinity: {
            required: {
              nodeSelectorTerms: [
                { matchExpressions: [{ key: 'topology.kanoe.io/machine', operator: 'In', values: ['m1'] }] },
              ],
            },
          },
          persistentVolumeReclaimPolicy: 'Delete',
          storageClassName: 'standard',
          volumeMode: 'Filesystem',
        },
      },
    });
  });

  it.each([
    [{}, {}, 'directory'],
    [{ layout: 'disk' }, {}, 'disk'],
    [{}, { volumeMode: 'Block' }, 'block'],
  ] as const)('with parameters %j and %j the layout is %s', (parameters, spec, layout) => {
    expect(plan(claim({ ...ours, [SELECTED]: 'n1' }, spec), storageClass({ parameters }))).toMatchObject({
      layout,
    });
  });
});

it.each([
  [
    { kind: 'PersistentVolumeClaim', name: 'a' },
    { kind: 'volume', claim: 'a' },
  ],
  [
    { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 's' },
    { kind: 'snapshot', snapshot: 's' },
  ],
  [{ apiGroup: 'x.io', kind: 'VolumeSnapshot', name: 's' }, { kind: 'foreign' }],
  [{ kind: 'PersistentVolumeClaim', name: 'a', namespace: 'other' }, { kind: 'foreign' }],
])('the source %j is %j', (dataSourceRef, expected) => {
  expect(sourceOf(claim({}, { dataSourceRef: { apiGroup: '', ...dataSourceRef } }))).toEqual(expected);
});
