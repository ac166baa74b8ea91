import type { PluginFactory } from '../framework.ts';

const name = 'PrioritySort';

/** The more important pod first, then the one that has waited longer. */
export const prioritySort: PluginFactory = {
  name,
  create: () => ({
    name,
    queueSort(a, b) {
      const difference = a.info.priority - b.info.priority;
      if (difference !== 0) return difference > 0;
      return a.enqueuedAt !== b.enqueuedAt ? a.enqueuedAt < b.enqueuedAt : a.order < b.order;
    },
  }),
};
