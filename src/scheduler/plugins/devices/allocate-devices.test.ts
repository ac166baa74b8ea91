import { describe, expect, it } from 'vitest';
import type {
  Device,
  DeviceClass,
  DeviceClaim,
  DeviceRequest,
  ExactDeviceRequest,
  ResourceClaim,
  ResourceSlice,
  ResourceSliceSpec,
} from '../../../api/resource/v1.gen.ts';
import type { Live } from '../../../machinery/object.ts';
import { node } from '../testdata/objects.ts';
import { allocateDevices, type ClaimToAllocate } from './allocate-devices.ts';
import { allocatedDevices } from './allocated-devices.ts';
import { allocationResult } from './allocation-result.ts';
import { DeviceMatcher } from './device-matcher.ts';
import { devicePools } from './device-pools.ts';
import { parseRequests } from './device-requests.ts';

const live = (name: string): Live<ResourceSlice>['metadata'] => ({
  name,
  uid: name,
  resourceVersion: '1',
  creationTimestamp: '2026-01-01T00:00:00Z',
});

const cel = (
  expression: string,
): { readonly selectors: readonly { readonly cel: { readonly expression: string } }[] } => ({
  selectors: [{ cel: { expression } }],
});

const classes: Readonly<Record<string, DeviceClass['spec']>> = {
  gpu: cel("device.driver == 'gpu.example.com'"),
  big: cel("device.capacity['gpu.example.com'].memory.compareTo(quantity('40Gi')) >= 0"),
  any: {},
};

let slices = 0;
function slice(spec: Partial<ResourceSliceSpec>): Live<ResourceSlice> {
  return {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceSlice',
    metadata: live(`slice-${String(slices++).padStart(3, '0')}`),
    spec: {
      driver: 'gpu.example.com',
      ...(!spec.perDeviceNodeSelection && { nodeName: 'n' }),
      pool: { name: 'pool', generation: 1, resourceSliceCount: 1 },
      ...spec,
    },
  };
}

const gpu = (name: string, model: string, more: Partial<Device> = {}): Device => ({
  name,
  attributes: {
    model: { string: model },
    index: { int: Number(name.slice(-1)) },
    driverVersion: { version: '1.2.3' },
  },
  capacity: { memory: { value: model === 'h100' ? '80Gi' : '24Gi' } },
  ...more,
});

const exactly = (name: string, spec: Partial<ExactDeviceRequest> = {}): DeviceRequest => ({
  name,
  exactly: { deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 1, ...spec },
});

const claimOf = (name: string, devices: DeviceClaim): ResourceClaim => ({
  apiVersion: 'resource.k8s.io/v1',
  kind: 'ResourceClaim',
  metadata: { name, namespace: 'default', uid: name },
  spec: { devices },
});

/** A claim that holds devices of the pool. */
const holding = (...devices: string[]): ResourceClaim => ({
  ...claimOf('other', { requests: [] }),
  status: {
    allocation: {
      devices: {
        results: devices.map((device) => ({ request: 'r', driver: 'gpu.example.com', pool: 'pool', device })),
      },
    },
  },
});

interface World {
  readonly slices: readonly Live<ResourceSlice>[];
  readonly others?: readonly ResourceClaim[];
}

/** `request=device` for each claim, or why not. */
function allocate(wanted: readonly DeviceClaim[], world: World): string {
  const subject = node('n', { labels: { zone: 'a' } });
  const claims = wanted.map((devices, index): ClaimToAllocate => {
    const claim = claimOf(`c${index}`, devices);
    const requests = parseRequests(claim, (name) => {
      const spec = classes[name];
      return spec && { apiVersion: 'resource.k8s.io/v1', kind: 'DeviceClass', metadata: { name }, spec };
    });
    if (typeof requests === 'string') throw new Error(requests);
    return { claim, requests };
  });
  const solutions = allocateDevices({
    claims,
    pools: devicePools(world.slices).reachableFrom(subject),
    allocated: allocatedDevices(world.others ?? []),
    matcher: new DeviceMatcher(),
    checkTime: () => undefined,
  });
  if (!solutions) return 'none';
  return solutions
    .map((solution, index) => {
      const claim = claims[index];
      const results = claim ? (allocationResult(claim, solution).devices?.results ?? []) : [];
      return results.map(({ request, device }) => `${request}=${device}`).join(' ');
    })
    .join(' | ');
}

const twoGpus = [slice({ devices: [gpu('gpu0', 'a10'), gpu('gpu1', 'h100')] })];
const fourGpus = [
  slice({ devices: [gpu('gpu0', 'a10'), gpu('gpu1', 'h100'), gpu('gpu2', 'a10'), gpu('gpu3', 'h100')] }),
];

describe('allocateDevices', () => {
  it.each<[string, DeviceClaim[], World, string]>([
    ['takes the first device', [{ requests: [exactly('r')] }], { slices: twoGpus }, 'r=gpu0'],
    [
      'takes as many as asked for',
      [{ requests: [exactly('r', { count: 2 })] }],
      { slices: twoGpus },
      'r=gpu0 r=gpu1',
    ],
    ['finds too few', [{ requests: [exactly('r', { count: 3 })] }], { slices: twoGpus }, 'none'],
    [
      'leaves devices of other claims',
      [{ requests: [exactly('r')] }],
      { slices: twoGpus, others: [holding('gpu0')] },
      'r=gpu1',
    ],
    [
      'gives each claim devices of its own',
      [{ requests: [exactly('r')] }, { requests: [exactly('s')] }],
      { slices: twoGpus },
      'r=gpu0 | s=gpu1',
    ],
    [
      'selects by attribute',
      [{ requests: [exactly('r', cel("device.attributes['gpu.example.com'].model == 'h100'"))] }],
      { slices: twoGpus },
      'r=gpu1',
    ],
    [
      'selects by version',
      [
        {
          requests: [
            exactly(
              'r',
              cel("device.attributes['gpu.example.com'].driverVersion.isGreaterThan(semver('1.2.0'))"),
            ),
          ],
        },
      ],
      { slices: twoGpus },
      'r=gpu0',
    ],
    [
      'selects by class',
      [{ requests: [exactly('r', { deviceClassName: 'big' })] }],
      { slices: twoGpus },
      'r=gpu1',
    ],
    [
      'knows no attributes of another domain',
      [{ requests: [exactly('r', cel("'model' in device.attributes['other.example.com']"))] }],
      { slices: twoGpus },
      'none',
    ],
    [
      'goes back when a later request finds nothing',
      [
        {
          requests: [exactly('r'), exactly('s', cel("device.attributes['gpu.example.com'].model == 'a10'"))],
        },
      ],
      { slices: twoGpus },
      'r=gpu1 s=gpu0',
    ],
    [
      'takes all devices',
      [{ requests: [exactly('r', { allocationMode: 'All' })] }],
      { slices: twoGpus },
      'r=gpu0 r=gpu1',
    ],
    [
      'takes all or none',
      [{ requests: [exactly('r', { allocationMode: 'All' })] }],
      { slices: twoGpus, others: [holding('gpu1')] },
      'none',
    ],
    [
      'needs at least one for all',
      [{ requests: [exactly('r', { allocationMode: 'All' })] }],
      { slices: [] },
      'none',
    ],
    [
      'lets administrators use what others hold',
      [{ requests: [exactly('r', { allocationMode: 'All', adminAccess: true })] }],
      { slices: twoGpus, others: [holding('gpu1')] },
      'r=gpu0 r=gpu1',
    ],
    [
      'matches attributes of all devices',
      [
        {
          requests: [exactly('r', { count: 2 })],
          constraints: [{ matchAttribute: 'gpu.example.com/model' }],
        },
      ],
      { slices: fourGpus },
      'r=gpu0 r=gpu2',
    ],
    [
      'matches attributes of named requests only',
      [
        {
          requests: [exactly('r'), exactly('s'), exactly('t')],
          constraints: [{ requests: ['r', 't'], matchAttribute: 'gpu.example.com/model' }],
        },
      ],
      { slices: fourGpus },
      'r=gpu0 s=gpu1 t=gpu2',
    ],
    [
      'needs the attribute to match',
      [{ requests: [exactly('r')], constraints: [{ matchAttribute: 'gpu.example.com/numa' }] }],
      { slices: fourGpus },
      'none',
    ],
    [
      'keeps attributes apart',
      [
        {
          requests: [exactly('r', { count: 2 })],
          constraints: [{ distinctAttribute: 'gpu.example.com/model' }],
        },
      ],
      { slices: fourGpus },
      'r=gpu0 r=gpu1',
    ],
    [
      'takes the first alternative that works',
      [
        {
          requests: [
            {
              name: 'r',
              firstAvailable: [
                { name: 'three', deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 3 },
                { name: 'big', deviceClassName: 'big', allocationMode: 'ExactCount', count: 1 },
                { name: 'two', deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 2 },
              ],
            },
          ],
        },
      ],
      { slices: twoGpus },
      'r/big=gpu1',
    ],
    [
      'tries the next alternative when a later request fails',
      [
        {
          requests: [
            {
              name: 'r',
              firstAvailable: [
                { name: 'two', deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 2 },
                { name: 'one', deviceClassName: 'gpu', allocationMode: 'ExactCount', count: 1 },
              ],
            },
            exactly('s'),
          ],
        },
      ],
      { slices: twoGpus },
      'r/one=gpu0 s=gpu1',
    ],
    [
      'takes nothing from an incomplete pool',
      [{ requests: [exactly('r')] }],
      {
        slices: [
          slice({
            pool: { name: 'pool', generation: 1, resourceSliceCount: 2 },
            devices: [gpu('gpu0', 'a10')],
          }),
        ],
      },
      'none',
    ],
    [
      'takes nothing from a pool with a name twice',
      [{ requests: [exactly('r')] }],
      { slices: [slice({ devices: [gpu('gpu0', 'a10'), gpu('gpu0', 'a10')] })] },
      'none',
    ],
    [
      'looks at the newest generation',
      [{ requests: [exactly('r')] }],
      {
        slices: [
          slice({
            pool: { name: 'pool', generation: 2, resourceSliceCount: 1 },
            devices: [gpu('gpu9', 'a10')],
          }),
          slice({ devices: [gpu('gpu0', 'a10')] }),
        ],
      },
      'r=gpu9',
    ],
    [
      'looks at devices of the node, of selected nodes and of all nodes',
      [{ requests: [exactly('r', { allocationMode: 'All' })] }],
      {
        slices: [
          slice({
            nodeName: 'm',
            pool: { name: 'elsewhere', generation: 1, resourceSliceCount: 1 },
            devices: [gpu('gpu0', 'a10')],
          }),
          slice({
            perDeviceNodeSelection: true,
            devices: [
              gpu('gpu1', 'a10', { nodeName: 'n' }),
              gpu('gpu2', 'a10', { allNodes: true }),
              gpu('gpu3', 'a10', { nodeName: 'm' }),
              gpu('gpu4', 'a10', {
                nodeSelector: {
                  nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['a'] }] }],
                },
              }),
            ],
          }),
        ],
      },
      'r=gpu1 r=gpu2 r=gpu4',
    ],
    [
      'leaves tainted devices',
      [{ requests: [exactly('r')] }],
      {
        slices: [
          slice({
            devices: [
              gpu('gpu0', 'a10', { taints: [{ key: 'bad', effect: 'NoSchedule' }] }),
              gpu('gpu1', 'a10', { taints: [{ key: 'odd', effect: 'None' }] }),
            ],
          }),
        ],
      },
      'r=gpu1',
    ],
    [
      'takes tainted devices that are tolerated',
      [{ requests: [exactly('r', { tolerations: [{ key: 'bad', operator: 'Exists' }] })] }],
      {
        slices: [slice({ devices: [gpu('gpu0', 'a10', { taints: [{ key: 'bad', effect: 'NoExecute' }] })] })],
      },
      'r=gpu0',
    ],
  ])('%s', (_name, ...[claims, world, expected]) => {
    expect(allocate(claims, world)).toBe(expected);
  });

  it('reports expressions that fail', () => {
    const broken = exactly('r', cel("device.attributes['gpu.example.com'].nothing == 'x'"));
    expect(() => allocate([{ requests: [broken] }], { slices: twoGpus })).toThrow(
      'claim default/c0: selector #0 on device gpu.example.com/pool/gpu0: CEL runtime error: no such key: nothing',
    );
  });
});

describe('partitionable devices', () => {
  const consumes = (value: string): Partial<Device> => ({
    consumesCounters: [{ counterSet: 'card', counters: { slots: { value } } }],
  });
  const card = slice({
    sharedCounters: [{ name: 'card', counters: { slots: { value: '4' } } }],
    devices: [
      gpu('whole0', 'a10', consumes('4')),
      gpu('half1', 'a10', consumes('2')),
      gpu('half2', 'a10', consumes('2')),
    ],
  });
  it.each<[string, number, readonly string[], string]>([
    ['gives the whole', 1, [], 'r=whole0'],
    ['gives both halves when two are wanted', 2, [], 'r=half1 r=half2'],
    ['gives the other half', 1, ['half1'], 'r=half2'],
    ['has nothing left beside the whole', 1, ['whole0'], 'none'],
  ])('%s', (_name, ...[count, held, expected]) => {
    const world = { slices: [card], others: held.length > 0 ? [holding(...held)] : [] };
    expect(allocate([{ requests: [exactly('r', { count })] }], world)).toBe(expected);
  });
});

describe('devices that several claims share', () => {
  const nic = slice({
    devices: [
      gpu('nic0', 'a10', {
        allowMultipleAllocations: true,
        capacity: {
          bandwidth: {
            value: '10G',
            requestPolicy: { default: '1G', validRange: { min: '1G', step: '1G' } },
          },
        },
      }),
    ],
  });
  const wants = (bandwidth: string): DeviceRequest => exactly('r', { capacity: { requests: { bandwidth } } });
  const taking = (bandwidth: string): ResourceClaim => ({
    ...claimOf('other', { requests: [] }),
    status: {
      allocation: {
        devices: {
          results: [
            {
              request: 'r',
              driver: 'gpu.example.com',
              pool: 'pool',
              device: 'nic0',
              shareID: 'x',
              consumedCapacity: { bandwidth },
            },
          ],
        },
      },
    },
  });
  it.each<[string, DeviceRequest[], ResourceClaim[], string]>([
    ['share what is left', [wants('4G')], [taking('6G')], 'r=nic0'],
    ['round up', [wants('3500M')], [taking('7G')], 'none'],
    ['take the default', [exactly('r')], [taking('9G')], 'r=nic0'],
    ['do not give more than they have', [wants('4G')], [taking('7G')], 'none'],
    ['serve one claim twice', [wants('4G'), { ...wants('6G'), name: 's' }], [], 'r=nic0 s=nic0'],
    ['do not offer what they lack', [exactly('r', { capacity: { requests: { lanes: '1' } } })], [], 'none'],
  ])('%s', (_name, ...[requests, others, expected]) => {
    expect(allocate([{ requests }], { slices: [nic], others })).toBe(expected);
  });
});
