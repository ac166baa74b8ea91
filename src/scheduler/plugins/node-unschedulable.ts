import type { PluginFactory } from '../framework.ts';
import { unresolvable } from '../status.ts';
import { tolerates } from './toleration.ts';

const name = 'NodeUnschedulable';
const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const;
const cordoned = unresolvable('node(s) were unschedulable');

/** Keeps pods off cordoned nodes unless they tolerate that. */
export const nodeUnschedulable: PluginFactory = {
  name,
  create: () => ({
    name,
    filter: (_state, { pod }, { node }) =>
      node.spec.unschedulable && !tolerates(pod.spec.tolerations, taint) ? cordoned : undefined,
    eventsToRegister: () => [
      { resource: 'Node', actions: ['Add', 'UpdateNodeTaint'] },
      { resource: 'TargetPod', actions: ['UpdatePodToleration'] },
    ],
  }),
};
