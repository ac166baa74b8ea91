import type { PluginFactory } from '../framework.ts';

const name = 'NodeResourcesBalancedAllocation';

/** Prefers nodes whose CPU and memory would be used in equal shares. */
export const balancedAllocation: PluginFactory = {
  name,
  create: () => ({
    name,
    score(_state, pod, { allocatable, scoringCpu, scoringMemory }) {
      const cpu = share(scoringCpu + pod.scoringCpu, allocatable.milliCpu);
      const memory = share(scoringMemory + pod.scoringMemory, allocatable.memory);
      return Math.floor((1 - Math.abs(cpu - memory) / 2) * 100);
    },
  }),
};

function share(requested: number, allocatable: number): number {
  return allocatable === 0 ? 1 : Math.min(1, requested / allocatable);
}
