import type { Node } from '../../api/core/v1.gen.ts';
import type { ClusterEvent, QueueingHint } from '../cluster-event.ts';
import type { PluginFactory } from '../framework.ts';
import { unresolvable } from '../status.ts';
import { tolerates } from '../../api/core/toleration.ts';

const name = 'NodeUnschedulable';
const taint = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const;
const cordoned = unresolvable('node(s) were unschedulable');

/** Keeps pods off cordoned nodes unless they tolerate that. */
export const nodeUnschedulable: PluginFactory = {
  name,
  create: () => ({
    name,
    filter: (_state, { pod }, { unschedulable }) =>
      unschedulable && !tolerates(pod.spec.tolerations, taint) ? cordoned : undefined,
    eventsToRegister: () => [
      { resource: 'Node', actions: ['Add', 'UpdateNodeTaint'], hint: (_pod, event) => nodeHint(event) },
      {
        resource: 'TargetPod',
        actions: ['UpdatePodToleration'],
        hint: ({ pod }) => (tolerates(pod.spec.tolerations, taint) ? 'Queue' : 'QueueSkip'),
      },
    ],
  }),
};

/** A node matters that is new or was uncordoned. */
function nodeHint({ previous, next }: ClusterEvent): QueueingHint {
  if (!next || (next as Node).spec.unschedulable) return 'QueueSkip';
  return previous && !(previous as Node).spec.unschedulable ? 'QueueSkip' : 'Queue';
}
