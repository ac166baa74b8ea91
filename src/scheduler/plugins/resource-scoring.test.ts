import { describe, expect, it } from 'vitest';
import type { ScoringStrategy } from '../config/plugin-args.ts';
import { NodeInfo } from '../node-info.ts';
import { podInfo } from '../pod-info.ts';
import { brokenLine, strategyScorer } from './resource-scoring.ts';
import { node, pod, requests } from './testdata/objects.ts';

type Amounts = Readonly<Record<string, string>>;

const cpuAndMemory = [
  { name: 'cpu', weight: 1 },
  { name: 'memory', weight: 1 },
];
const least: ScoringStrategy = { type: 'LeastAllocated', resources: cpuAndMemory };
const most: ScoringStrategy = { type: 'MostAllocated', resources: cpuAndMemory };
const packing = {
  shape: [
    { utilization: 0, score: 0 },
    { utilization: 100, score: 10 },
  ],
};
const gpu = 'example.com/gpu';
const ratio = (...resources: ScoringStrategy['resources']): ScoringStrategy => ({
  type: 'RequestedToCapacityRatio',
  resources,
  requestedToCapacityRatio: packing,
});

/** A node of 4 CPUs, 8 GiB and 8 GPUs with a pod on it. */
function score(strategy: ScoringStrategy, wanted: Amounts, taken: Amounts): number {
  const info = new NodeInfo(node('n', { allocatable: { [gpu]: '8' } }));
  info.addPod(podInfo(pod('there', requests(taken))));
  return strategyScorer(strategy)(podInfo(pod('new', requests(wanted))), info);
}

describe('strategyScorer', () => {
  it.each<[string, ScoringStrategy, Amounts, Amounts, number]>([
    [
      'LeastAllocated takes the mean of free shares',
      least,
      { cpu: '1', memory: '2Gi' },
      { cpu: '1', memory: '2Gi' },
      50,
    ],
    [
      'LeastAllocated gives nothing for what is exceeded',
      least,
      { cpu: '5', memory: '1Gi' },
      { cpu: '1', memory: '1Gi' },
      37,
    ],
    [
      'LeastAllocated weighs resources',
      {
        ...least,
        resources: [
          { name: 'cpu', weight: 3 },
          { name: 'memory', weight: 1 },
        ],
      },
      { cpu: '2', memory: '4Gi' },
      { cpu: '2', memory: '0' },
      12,
    ],
    ['LeastAllocated assumes 100m and 200Mi of pods that ask for nothing', least, {}, {}, 95],
    [
      'MostAllocated takes the mean of used shares',
      most,
      { cpu: '1', memory: '2Gi' },
      { cpu: '1', memory: '4Gi' },
      62,
    ],
    ['MostAllocated gives everything for what is exceeded', most, { cpu: '9', memory: '8Gi' }, {}, 100],
    [
      'leaves out an extended resource that the pod does not ask for',
      { ...most, resources: [...cpuAndMemory, { name: gpu, weight: 10 }] },
      { cpu: '2', memory: '4Gi' },
      { cpu: '1', memory: '2Gi', [gpu]: '8' },
      75,
    ],
    [
      'counts one that it asks for',
      { ...most, resources: [{ name: gpu, weight: 1 }] },
      { [gpu]: '2' },
      { [gpu]: '2' },
      50,
    ],
    [
      'leaves out resources that the node does not have',
      { ...most, resources: [{ name: 'example.com/fpga', weight: 1 }] },
      {},
      {},
      0,
    ],
    ['follows the shape', ratio({ name: gpu, weight: 1 }), { [gpu]: '4' }, { [gpu]: '2' }, 75],
    [
      'leaves zero scores out of the mean',
      ratio({ name: gpu, weight: 1 }, { name: 'example.com/x', weight: 5 }),
      { [gpu]: '4' },
      {},
      50,
    ],
    [
      'rounds the mean',
      ratio({ name: 'cpu', weight: 1 }, { name: 'memory', weight: 1 }),
      { cpu: '1', memory: '4Gi' },
      { cpu: '0', memory: '1Gi' },
      44,
    ],
  ])('%s', (_name, ...[strategy, wanted, taken, expected]) => {
    expect(score(strategy, wanted, taken)).toBe(expected);
  });
});

describe('brokenLine', () => {
  const falling = [
    { utilization: 10, score: 10 },
    { utilization: 50, score: 5 },
    { utilization: 90, score: 0 },
  ];
  it.each([
    [0, 100],
    [10, 100],
    [30, 75],
    [51, 49],
    [90, 0],
    [100, 0],
  ])('at %i is %i', (utilization, expected) => {
    expect(brokenLine(falling)(utilization)).toBe(expected);
  });
});
