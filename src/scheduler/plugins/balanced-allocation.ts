import type { PluginFactory } from '../framework.ts';
import { amountOf } from '../resource-amounts.ts';
import { SKIP } from '../status.ts';
import { requestedWith } from './resource-scoring.ts';

const name = 'NodeResourcesBalancedAllocation';

/** Prefers nodes whose resources would be used in equal shares; has no opinion on pods that ask for none of them. */
export const balancedAllocation: PluginFactory = {
  name,
  create: (_handle, { NodeResourcesBalancedAllocation: { resources } }) => ({
    name,
    preScore: (_state, { requests }) =>
      resources.every((resource) => amountOf(requests, resource.name) === 0) ? SKIP : undefined,
    score(_state, pod, node) {
      const shares: number[] = [];
      for (const resource of resources) {
        const allocatable = amountOf(node.allocatable, resource.name);
        const requested = requestedWith(resource.name, 'real', pod, node);
        if (allocatable > 0 && requested !== undefined) shares.push(Math.min(1, requested / allocatable));
      }
      return Math.floor((1 - deviation(shares)) * 100);
    },
  }),
};

/** The standard deviation, simplified for two values as upstream does. */
function deviation(shares: readonly number[]): number {
  const [first = 0, second = 0] = shares;
  if (shares.length < 2) return 0;
  if (shares.length === 2) return Math.abs((first - second) / 2);
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  return Math.sqrt(shares.reduce((sum, share) => sum + (share - mean) ** 2, 0) / shares.length);
}
