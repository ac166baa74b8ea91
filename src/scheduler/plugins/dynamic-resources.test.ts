import { describe, expect, it } from 'vitest';
import type { Pod } from '../../api/core/v1.gen.ts';
import type {
  AllocationResult,
  DeviceClass,
  ResourceClaim,
  ResourceSlice,
} from '../../api/resource/v1.gen.ts';
import type { KubeObject, Live } from '../../machinery/object.ts';
import { tryPod } from '../try-pod.ts';
import { node, pod, requests } from './testdata/objects.ts';

type Meta = Partial<Live<KubeObject>['metadata']>;

const live = (name: string, more: Meta = {}): Live<KubeObject>['metadata'] => ({
  name,
  uid: name,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
  ...more,
});

const gpuClass: Live<DeviceClass> = {
  apiVersion: 'resource.k8s.io/v1',
  kind: 'DeviceClass',
  metadata: live('gpu'),
  spec: {},
};

const bigClass: Live<DeviceClass> = {
  ...gpuClass,
  metadata: live('big'),
  spec: { selectors: [{ cel: { expression: "device.attributes['d'].size == 'big'" } }] },
};

const slice = (nodeName: string, size: string = 'small'): Live<ResourceSlice> => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceSlice',
  metadata: live(`slice-${nodeName}`),
  spec: {
    driver: 'd',
    nodeName,
    pool: { name: nodeName, generation: 1, resourceSliceCount: 1 },
    devices: [{ name: 'gpu0', attributes: { size: { string: size } } }],
  },
});

const claim = (
  name: string,
  status: ResourceClaim['status'] = {},
  metadata: Meta = {},
): Live<ResourceClaim> => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceClaim',
  metadata: live(name, { namespace: 'default', ...metadata }),
  spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'gpu' } }] } },
  status,
});

const prioritized = (name: string): Live<ResourceClaim> => ({
  ...claim(name),
  spec: {
    devices: {
      requests: [
        {
          name: 'r',
          firstAvailable: [
            { name: 'best', deviceClassName: 'big' },
            { name: 'any', deviceClassName: 'gpu' },
          ],
        },
      ],
    },
  },
});

const onNode = (nodeName: string): AllocationResult => ({
  devices: { results: [{ request: 'r', driver: 'd', pool: nodeName, device: 'gpu0' }] },
  nodeSelector: {
    nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [nodeName] }] }],
  },
});

const users = (count: number): ResourceClaim['status'] => ({
  allocation: onNode('b'),
  reservedFor: Array.from({ length: count }, (_, index) => ({
    resource: 'pods',
    name: `u${index}`,
    uid: `u${index}`,
  })),
});

const using = (...claims: string[]): Live<Pod> =>
  pod('p', { resourceClaims: claims.map((name) => ({ name, resourceClaimName: name })) });
const fromTemplate = (status: Pod['status'] = {}): Live<Pod> => ({
  ...pod('p', { resourceClaims: [{ name: 'r', resourceClaimTemplateName: 't' }] }),
  status,
});

const extendedClass: Live<DeviceClass> = { ...gpuClass, spec: { extendedResourceName: 'example.com/gpu' } };
const asking = (count: string): Live<Pod> => pod('p', requests({ 'example.com/gpu': count }));
const owned = {
  annotations: { 'resource.kubernetes.io/extended-resource-claim': 'true' },
  ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'p', controller: true }],
};

const nodes = [node('a'), node('b')];
const rejected = (reasons: string, freeing: string): string =>
  `0/2 nodes are available: ${reasons}. ${freeing}, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.`;
const nothing = 'no new claims to deallocate';

describe('dynamicResources', () => {
  it.each<[string, Live<Pod>, readonly Live<KubeObject>[], string | RegExp]>([
    ['leaves pods without claims alone', pod('p'), [], /^[ab]$/],
    ['goes where the device is', using('c'), [gpuClass, slice('b'), claim('c')], /^b$/],
    ['goes where the claim was allocated', using('c'), [claim('c', users(1))], /^b$/],
    [
      'finds no device left',
      using('c'),
      [gpuClass, slice('b'), claim('c'), claim('other', { allocation: onNode('b') })],
      rejected('2 cannot allocate all claims', 'still not schedulable'),
    ],
    [
      'prefers the node with the preferred alternative',
      using('c'),
      [gpuClass, slice('a'), bigClass, slice('b', 'big'), prioritized('c')],
      /^b$/,
    ],
    ['misses a claim', using('c'), [], rejected('resourceclaim.resource.k8s.io "c" not found', nothing)],
    [
      'misses a class',
      using('c'),
      [claim('c')],
      rejected('request r: device class gpu does not exist', nothing),
    ],
    [
      'waits for a claim to be made of a template',
      fromTemplate(),
      [],
      rejected('pod "default/p": ResourceClaim not created yet', nothing),
    ],
    [
      'uses the claim that was made',
      fromTemplate({ resourceClaimStatuses: [{ name: 'r', resourceClaimName: 'p-r-x' }] }),
      [
        gpuClass,
        slice('a'),
        claim(
          'p-r-x',
          {},
          {
            ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'p', controller: true }],
          },
        ),
      ],
      /^a$/,
    ],
    [
      'refuses a claim that was made for another pod',
      fromTemplate({ resourceClaimStatuses: [{ name: 'r', resourceClaimName: 'p-r-x' }] }),
      [claim('p-r-x')],
      rejected('ResourceClaim default/p-r-x was not created for pod default/p (pod is not owner)', nothing),
    ],
    [
      'needs no claim when none was made',
      fromTemplate({ resourceClaimStatuses: [{ name: 'r' }] }),
      [],
      /^[ab]$/,
    ],
    [
      'refuses a claim that is going',
      using('c'),
      [claim('c', {}, { deletionTimestamp: '2026-01-01T00:00:00Z' })],
      rejected('resourceclaim "c" is being deleted', nothing),
    ],
    ['shares a claim', using('c'), [claim('c', users(255))], /^b$/],
    [
      'but not with too many',
      using('c'),
      [claim('c', users(256))],
      rejected('resourceclaim in use', nothing),
    ],
    [
      'cannot use two claims on different nodes',
      using('c', 'd'),
      [
        claim('c', users(1)),
        claim('d', { allocation: onNode('a'), reservedFor: [{ resource: 'pods', name: 'u', uid: 'u' }] }),
      ],
      rejected('2 resourceclaim not available on the node', 'still not schedulable'),
    ],
    ['serves extended resources with devices', asking('1'), [extendedClass, slice('b')], /^b$/],
    [
      'serves them by the name of the class',
      pod('p', requests({ 'deviceclass.resource.kubernetes.io/gpu': '1' })),
      [gpuClass, slice('a')],
      /^a$/,
    ],
    [
      'has too few devices',
      asking('2'),
      [extendedClass, slice('b')],
      rejected('2 cannot allocate all claims', 'still not schedulable'),
    ],
    [
      'removes first what a failed attempt left',
      asking('1'),
      [extendedClass, slice('b'), claim('left', {}, owned)],
      /2 cannot schedule extended resource claim\. deletion of ResourceClaim completed/,
    ],
  ])('%s', (_name, ...[subject, objects, expected]) => {
    expect(tryPod(subject, { nodes, objects })).toMatch(expected);
  });
});
