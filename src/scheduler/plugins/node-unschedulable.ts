import type { FilterPlugin } from '../framework.ts';
import { tolerates } from './toleration.ts';

const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const;

/** Keeps pods off cordoned nodes unless they tolerate that. */
export const nodeUnschedulable: FilterPlugin = {
  name: 'NodeUnschedulable',
  wokenBy: ['node'],
  prepare({ pod }) {
    if (tolerates(pod.spec.tolerations, taint)) return undefined;
    return ({ node }) =>
      node.spec.unschedulable ? { reasons: ['node(s) were unschedulable'], final: true } : undefined;
  },
};
