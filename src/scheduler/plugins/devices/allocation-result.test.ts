import { describe, expect, it } from 'vitest';
import type { NodeSelector } from '../../../api/core/v1.gen.ts';
import type { DeviceClass, DeviceClaim } from '../../../api/resource/v1.gen.ts';
import type { ChosenDevice } from './allocate-devices.ts';
import { allocationResult } from './allocation-result.ts';
import type { PooledDevice } from './device-pools.ts';
import { parseRequests } from './device-requests.ts';

const opaque = (
  driver: string,
): { readonly opaque: { readonly driver: string; readonly parameters: object } } => ({
  opaque: { driver, parameters: {} },
});
const gpu: DeviceClass = {
  apiVersion: 'resource.k8s.io/v1',
  kind: 'DeviceClass',
  metadata: { name: 'gpu' },
  spec: { config: [opaque('of-class') as never] },
};

const device = (name: string, where: Partial<PooledDevice>): PooledDevice => ({
  id: `d/p/${name}`,
  device: { name },
  pool: { driver: 'd', name: 'p', state: 'usable', devices: [], slices: [] },
  nodeName: undefined,
  nodeSelector: undefined,
  ...where,
});

const zone = (value: string): NodeSelector => ({
  nodeSelectorTerms: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: [value] }] }],
});

function resultOf(devices: DeviceClaim, found: readonly PooledDevice[]): ReturnType<typeof allocationResult> {
  const claim = {
    apiVersion: 'resource.k8s.io/v1',
    kind: 'ResourceClaim',
    metadata: { name: 'c' },
    spec: { devices },
  } as const;
  const requests = parseRequests(claim, () => gpu);
  if (typeof requests === 'string') throw new Error(requests);
  const chosen = found.flatMap((device, index): ChosenDevice[] => {
    const alternative = requests[index]?.alternatives[0];
    return alternative ? [{ alternative, device, share: undefined }] : [];
  });
  return allocationResult({ claim, requests }, { devices: chosen, alternatives: requests.map(() => 0) });
}

const requests = [
  { name: 'a', exactly: { deviceClassName: 'gpu' } },
  { name: 'b', firstAvailable: [{ name: 'x', deviceClassName: 'gpu' }] },
];

describe('allocationResult', () => {
  it('binds the claim to the node of a device', () => {
    const { nodeSelector } = resultOf({ requests }, [device('1', {}), device('2', { nodeName: 'n' })]);
    expect(nodeSelector).toEqual({
      nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['n'] }] }],
    });
  });

  it('joins the selectors of devices, each requirement once', () => {
    const selector = zone('a');
    const found = [device('1', { nodeSelector: selector }), device('2', { nodeSelector: zone('a') })];
    expect(resultOf({ requests }, found).nodeSelector).toEqual(selector);
  });

  it('leaves out where everywhere is', () => {
    expect(resultOf({ requests }, [device('1', {}), device('2', {})]).nodeSelector).toBeUndefined();
  });

  it('copies configurations of classes and of the claim, naming requests unless they are all', () => {
    const config = [
      { requests: ['b/x'], ...opaque('of-b') },
      { requests: ['b/y'], ...opaque('of-another') },
      opaque('of-all'),
    ];
    const { devices } = resultOf({ requests, config: config as never }, [device('1', {}), device('2', {})]);
    expect(devices).toEqual({
      results: [
        { request: 'a', driver: 'd', pool: 'p', device: '1' },
        { request: 'b/x', driver: 'd', pool: 'p', device: '2' },
      ],
      config: [
        { source: 'FromClass', ...opaque('of-class') },
        { source: 'FromClaim', requests: ['b/x'], ...opaque('of-b') },
        { source: 'FromClaim', ...opaque('of-all') },
      ],
    });
  });
});
