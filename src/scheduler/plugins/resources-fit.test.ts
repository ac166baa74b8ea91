import { describe, expect, it } from 'vitest';
import type { Container, PodSpec } from '../../api/core/v1.gen.ts';
import { NodeInfo } from '../node-info.ts';
import { podInfo } from '../pod-info.ts';
import { shortage } from './resources-fit.ts';
import { node, pod, requests } from './testdata/objects.ts';

type Amounts = Readonly<Record<string, string>>;

const gpu = 'example.com/gpu';
const container = (name: string, list: Amounts, more: Partial<Container> = {}): Container => ({
  name,
  image: 'app',
  resources: { requests: list },
  ...more,
});
const sidecar = (name: string, list: Amounts): Container =>
  container(name, list, { restartPolicy: 'Always' });

/** What a node of 4 CPUs, 8 GiB, 1 Gi of storage and 2 GPUs lacks, with a pod on it. */
function lacks(wanted: Partial<PodSpec>, taken: Partial<PodSpec> = {}): string {
  const info = new NodeInfo(
    node('n', { allocatable: { 'ephemeral-storage': '1Gi', [gpu]: '2', pods: '2' } }),
  );
  info.addPod(podInfo(pod('there', taken)));
  const status = shortage(podInfo(pod('new', wanted)), info, (resource) => resource !== 'ignored.com/thing');
  return status ? `${status.code}: ${status.reasons.join(', ')}` : 'fits';
}

describe('shortage', () => {
  it.each<[string, Partial<PodSpec>, Partial<PodSpec>, string]>([
    ['fits when it asks for nothing', {}, requests({ cpu: '4', memory: '8Gi' }), 'fits'],
    ['fits exactly', requests({ cpu: '3', memory: '8Gi' }), requests({ cpu: '1' }), 'fits'],
    [
      'may fit when others go',
      requests({ cpu: '3001m' }),
      requests({ cpu: '1' }),
      'Unschedulable: Insufficient cpu',
    ],
    ['never fits', requests({ cpu: '4001m' }), {}, 'UnschedulableAndUnresolvable: Insufficient cpu'],
    [
      'names everything that lacks, in order',
      requests({ [gpu]: '2', 'ephemeral-storage': '1Gi', memory: '8Gi', cpu: '4' }),
      requests({ [gpu]: '1', 'ephemeral-storage': '1', memory: '1', cpu: '1m' }),
      `Unschedulable: Insufficient cpu, Insufficient memory, Insufficient ephemeral-storage, Insufficient ${gpu}`,
    ],
    [
      'never fits when the node lacks the resource',
      requests({ 'example.com/fpga': '1' }),
      {},
      'UnschedulableAndUnresolvable: Insufficient example.com/fpga',
    ],
    ['leaves out ignored resources', requests({ 'ignored.com/thing': '1' }), {}, 'fits'],
    ['leaves out requests of zero', requests({ 'example.com/fpga': '0' }), {}, 'fits'],
    [
      'adds overhead',
      { ...requests({ cpu: '3' }), overhead: { cpu: '500m' } },
      requests({ cpu: '1' }),
      'Unschedulable: Insufficient cpu',
    ],
    [
      'adds up containers',
      { containers: [container('a', { cpu: '2' }), container('b', { cpu: '2' })] },
      requests({ cpu: '1' }),
      'Unschedulable: Insufficient cpu',
    ],
    [
      'takes the largest init container, not the sum',
      {
        initContainers: [container('i', { cpu: '2' }), container('j', { cpu: '3' })],
        containers: [container('a', { cpu: '1' })],
      },
      requests({ cpu: '1' }),
      'fits',
    ],
    [
      'adds sidecars to containers',
      { initContainers: [sidecar('s', { cpu: '2' })], containers: [container('a', { cpu: '2' })] },
      requests({ cpu: '1' }),
      'Unschedulable: Insufficient cpu',
    ],
    [
      'adds sidecars to init containers that start after them',
      { initContainers: [sidecar('s', { cpu: '2' }), container('i', { cpu: '2' })] },
      requests({ cpu: '1' }),
      'Unschedulable: Insufficient cpu',
    ],
    [
      'but not to those that start before',
      { initContainers: [container('i', { cpu: '2' }), sidecar('s', { cpu: '2' })] },
      requests({ cpu: '2' }),
      'fits',
    ],
    [
      'lets requests of the pod stand for those of its containers',
      { ...requests({ cpu: '4' }), resources: { requests: { cpu: '1' } } },
      requests({ cpu: '3' }),
      'fits',
    ],
  ])('%s', (_name, wanted, taken, expected) => {
    expect(lacks(wanted, taken)).toBe(expected);
  });

  it('counts pods', () => {
    const info = new NodeInfo(node('n', { allocatable: { pods: '1' } }));
    info.addPod(podInfo(pod('there')));
    expect(shortage(podInfo(pod('new')), info, () => true)?.reasons).toEqual(['Too many pods']);
  });
});
