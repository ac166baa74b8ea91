import type { Candidate, ScorePlugin } from '../framework.ts';
import type { PodInfo } from '../pod-info.ts';

/** Prefers nodes of which the least would be requested, over CPU and memory alike. */
export const leastAllocated: ScorePlugin = {
  name: 'NodeResourcesFit',
  weight: 1,
  prepare: (pod) => (candidates) =>
    candidates.map((candidate) => {
      const [cpu, memory] = freeShares(pod, candidate);
      return Math.floor((cpu * 100 + memory * 100) / 2);
    }),
};

/** Prefers nodes whose CPU and memory would be used in equal shares. */
export const balancedAllocation: ScorePlugin = {
  name: 'NodeResourcesBalancedAllocation',
  weight: 1,
  prepare: (pod) => (candidates) =>
    candidates.map((candidate) => {
      const [cpu, memory] = freeShares(pod, candidate);
      return Math.floor((1 - Math.abs(cpu - memory) / 2) * 100);
    }),
};

function freeShares(pod: PodInfo, { info }: Candidate): [cpu: number, memory: number] {
  return [
    freeShare(info.allocatable.get('cpu'), info.scoringCpu + pod.scoringCpu),
    freeShare(info.allocatable.get('memory'), info.scoringMemory + pod.scoringMemory),
  ];
}

function freeShare(allocatable: number = 0, requested: number): number {
  return allocatable === 0 || requested > allocatable ? 0 : (allocatable - requested) / allocatable;
}
