import { describe, expect, it } from 'vitest';
import type { Node, Pod, PodSpec } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { tryPod } from '../try-pod.ts';

const metadata = { uid: 'u', resourceVersion: '1', creationTimestamp: '2026-01-01T00:00:00Z' };

function node(name: string, ...declaredFeatures: string[]): Live<Node> {
  const allocatable = { cpu: '4', memory: '8Gi', pods: '10' };
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { ...metadata, name, uid: name },
    spec: {},
    status: { allocatable, ...(declaredFeatures.length > 0 && { declaredFeatures }) },
  };
}

function pod(spec: Partial<PodSpec>): Live<Pod> {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, name: 'p', namespace: 'default' },
    spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
  };
}

const rule = (action: string): object => ({ action, exitCodes: { operator: 'In', values: [42] } });
const container = (action: string): PodSpec['containers'] => [
  { name: 'c', image: 'i', restartPolicyRules: [rule(action)] },
];
const feature = 'RestartAllContainersOnContainerExits';
const nowhere =
  "0/1 nodes are available: 1 node(s) didn't match Pod's required features. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.";

describe('features that nodes declare', () => {
  it.each<[string, Partial<PodSpec>, Live<Node>[], string]>([
    ['are not asked for by plain pods', {}, [node('a')], 'a'],
    ['nor by rules that restart one container', { containers: container('Restart') }, [node('a')], 'a'],
    [
      'lead pods to nodes that have them',
      { containers: container('RestartAllContainers') },
      [node('a'), node('b', 'Other', feature)],
      'b',
    ],
    [
      'are asked for by init containers, too',
      { initContainers: container('RestartAllContainers') },
      [node('a', 'Other')],
      nowhere,
    ],
  ])('%s', (_, spec, nodes, expected) => {
    expect(tryPod(pod(spec), { nodes })).toBe(expected);
  });
});
