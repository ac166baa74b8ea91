import { expect, it } from 'vitest';
import type { Node } from '../../api/core/v1.gen.ts';
import type { AdmissionRequest } from './admission-chain.ts';
import type { Lookup } from './lookup.ts';
import { podResize } from './pod-resize.ts';

const node: Node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n' },
  spec: {},
  status: { allocatable: { cpu: '2', memory: '1Gi' } },
};
const lookup: Lookup = {
  get: (_type, _namespace, name) => (name === 'n' ? (node as never) : undefined),
  list: () => [],
};

function refused(requests: Record<string, string>, nodeName = 'n', subresource = 'resize'): unknown {
  const request: Partial<AdmissionRequest> = {
    operation: 'UPDATE',
    group: '',
    resource: 'pods',
    subresource,
    name: 'p',
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p' },
      spec: { nodeName, containers: [{ name: 'c', resources: { requests } }] },
    } as never,
  };
  try {
    void podResize(lookup).validate?.(request as AdmissionRequest);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

it.each([
  [{ cpu: '2' }, undefined],
  [
    { cpu: '2001m' },
    'pods "p" is forbidden: node didn\'t have enough allocatable resources: cpu, requested: 2001, allocatable: 2000',
  ],
  [
    { cpu: '1', memory: '2Gi' },
    'pods "p" is forbidden: node didn\'t have enough allocatable resources: memory, requested: 2147483648, allocatable: 1073741824',
  ],
])('a pod that grows to %j', (requests, message) => {
  expect(refused(requests)).toBe(message);
  expect(refused(requests, 'unknown')).toBeUndefined();
  expect(refused(requests, 'n', 'status')).toBeUndefined();
});
