import type { FilterPlugin } from '../framework.ts';

/** Keeps the sum of requests within what a node can give, for every resource and for the number of pods. */
export const resourcesFit: FilterPlugin = {
  name: 'NodeResourcesFit',
  wokenBy: ['node', 'pod-gone'],
  prepare({ requests }) {
    const wanted = [...requests].filter(([, amount]) => amount > 0);
    return ({ info }) => {
      const reasons: string[] = [];
      let final = false;
      const maxPods = info.allocatable.get('pods') ?? 0;
      if (info.pods.size + 1 > maxPods) reasons.push('Too many pods');
      for (const [name, amount] of wanted) {
        const allocatable = info.allocatable.get(name) ?? 0;
        if (amount <= allocatable - (info.requested.get(name) ?? 0)) continue;
        reasons.push(`Insufficient ${name}`);
        if (amount > allocatable) final = true;
      }
      return reasons.length > 0 ? { reasons, final } : undefined;
    };
  },
};
