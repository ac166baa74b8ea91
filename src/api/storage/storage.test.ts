import { describe, expect, it } from 'vitest';
import type { FieldError } from '../../machinery/field-error.ts';
import { csiDrivers } from './csi-drivers.ts';
import { csiNodes } from './csi-nodes.ts';
import { csiStorageCapacities } from './csi-storage-capacities.ts';
import { storageClasses } from './storage-classes.ts';
import type { CSIDriver, CSINode, StorageClass, VolumeAttachment, VolumeAttributesClass } from './v1.gen.ts';
import { volumeAttachments } from './volume-attachments.ts';
import { volumeAttributesClasses } from './volume-attributes-classes.ts';

function texts(errors: readonly FieldError[] | undefined): string[] {
  return (errors ?? []).map(({ field, message }) => `${field}: ${message}`);
}

function storageClass(fields: Partial<StorageClass>): StorageClass {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: 'fast' },
    provisioner: 'csi.example.com',
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'Immediate',
    ...fields,
  };
}

describe('storage classes', () => {
  it.each<[string, Partial<StorageClass>, string[]]>([
    ['good', { parameters: { a: 'b' } }, []],
    ['no provisioner', { provisioner: '' }, ['provisioner: Required value']],
    [
      'odd policy',
      { reclaimPolicy: 'Recycle' },
      ['reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"'],
    ],
    [
      'empty parameter',
      { parameters: { '': 'x' } },
      ['parameters: Invalid value: "": field can not be empty.'],
    ],
    [
      'no values',
      { allowedTopologies: [{ matchLabelExpressions: [{ key: 'zone', values: [] }] }] },
      ['allowedTopologies[0].matchLabelExpressions[0].values: Required value'],
    ],
    [
      'empty topology',
      { allowedTopologies: [{}] },
      ['allowedTopologies[0].matchLabelExpressions: Duplicate value: ""'],
    ],
  ])('%s', (_name, fields, errors) => {
    expect(texts(storageClasses.validate?.(storageClass(fields)))).toEqual(errors);
  });

  it('keep what volumes were made with', () => {
    const next = storageClass({ parameters: { a: 'c' }, volumeBindingMode: 'WaitForFirstConsumer' });
    const old = { ...storageClass({ parameters: { a: 'b' } }) } as never;
    expect(texts(storageClasses.validateUpdate?.(next, old))).toEqual([
      'parameters: Invalid value: {"a":"c"}: field is immutable',
      'volumeBindingMode: Invalid value: "WaitForFirstConsumer": field is immutable',
    ]);
  });
});

describe('drivers and their nodes', () => {
  it('default what a driver does not say', () => {
    const driver = { metadata: { name: 'd' } } as CSIDriver;
    csiDrivers.versions['v1']?.defaults?.(driver as never);
    expect(driver.spec).toEqual({
      attachRequired: true,
      podInfoOnMount: false,
      storageCapacity: false,
      fsGroupPolicy: 'ReadWriteOnceWithFSType',
      volumeLifecycleModes: ['Persistent'],
      requiresRepublish: false,
      seLinuxMount: false,
    });
    expect(csiDrivers.validate?.(driver)).toEqual([]);
  });

  it('show what changed of a driver on a node', () => {
    const node = (nodeID: string): CSINode => ({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSINode',
      metadata: { name: 'n' },
      spec: { drivers: [{ name: 'd', nodeID, topologyKeys: [] }] },
    });
    expect(texts(csiNodes.validateUpdate?.(node('b'), node('a') as never))).toEqual([
      'spec.drivers: Invalid value: {"Name":"d","NodeID":"b","TopologyKeys":[],"Allocatable":null}: field is immutable',
    ]);
  });
});

describe('attachments and attribute classes', () => {
  const attachment = (source: VolumeAttachment['spec']['source']): VolumeAttachment => ({
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttachment',
    metadata: { name: 'a' },
    spec: { attacher: 'csi.example.com', nodeName: 'n1', source },
  });
  const one = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName';

  it.each<[VolumeAttachment['spec']['source'], string[]]>([
    [{ persistentVolumeName: 'pv' }, []],
    [{}, [`spec.source: Required value: ${one}`]],
    [{ persistentVolumeName: 'pv', inlineVolumeSpec: {} }, [`spec.source: Forbidden: ${one}`]],
    [
      { inlineVolumeSpec: { accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' } } },
      [
        'spec.source.inlineVolumeSpec.csi: Required value: has to be specified in the context of inline volumes',
      ],
    ],
  ])('%j', (source, errors) => {
    expect(texts(volumeAttachments.validate?.(attachment(source)))).toEqual(errors);
  });

  it('need parameters', () => {
    const object: VolumeAttributesClass = {
      apiVersion: 'storage.k8s.io/v1',
      kind: 'VolumeAttributesClass',
      metadata: { name: 'gold' },
      driverName: 'csi.example.com',
    };
    expect(texts(volumeAttributesClasses.validate?.(object))).toEqual([
      'parameters: Required value: must contain at least one key/value pair',
    ]);
  });
});

describe('warnings', () => {
  it('tell of old labels of nodes', () => {
    const { warnings } = storageClasses;
    const old = 'failure-domain.beta.kubernetes.io/zone';
    const made = storageClass({
      allowedTopologies: [{ matchLabelExpressions: [{ key: old, values: ['a'] }] }],
    });
    expect(warnings?.(made)).toEqual([
      'allowedTopologies[0].matchLabelExpressions[0].key: deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
    ]);
    expect(
      csiStorageCapacities.warnings?.({
        apiVersion: 'storage.k8s.io/v1',
        kind: 'CSIStorageCapacity',
        metadata: { name: 'c' },
        storageClassName: 's',
        nodeTopology: {
          matchExpressions: [{ key: 'beta.kubernetes.io/os', operator: 'Exists' }],
          matchLabels: { 'beta.kubernetes.io/arch': 'arm64', zone: 'a' },
        },
      }),
    ).toEqual([
      'nodeTopology.matchExpressions[0].key: beta.kubernetes.io/os is deprecated since v1.14; use "kubernetes.io/os" instead',
      'nodeTopology.matchLabels.beta.kubernetes.io/arch: deprecated since v1.14; use "kubernetes.io/arch" instead',
    ]);
  });
});
