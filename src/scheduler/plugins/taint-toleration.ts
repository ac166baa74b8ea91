import type { Node, Pod, Toleration } from '../../api/core/v1.gen.ts';
import type { ClusterEvent, QueueingHint } from '../cluster-event.ts';
import { stateKey } from '../cycle-state.ts';
import { spreadScores, type PluginFactory } from '../framework.ts';
import { SKIP, unresolvable } from '../status.ts';
import { tolerates, toleratesAll } from '../../api/core/toleration.ts';

const name = 'TaintToleration';
const untolerated = unresolvable('node(s) had untolerated taint(s)');
const softTolerations = stateKey<readonly Toleration[]>(name);

/** Keeps pods off nodes whose taints they do not tolerate, and away from those that say "rather not". */
export const taintToleration: PluginFactory = {
  name,
  create: () => ({
    name,
    filter: (_state, { pod }, { hardTaints }) =>
      hardTaints.length === 0 || toleratesAll(pod.spec.tolerations, hardTaints) ? undefined : untolerated,
    preScore(state, { pod }, nodes) {
      if (!nodes.some(({ softTaints }) => softTaints.length > 0)) return SKIP;
      state.write(softTolerations, tolerationsOf(pod));
      return undefined;
    },
    score: (state, _pod, { softTaints }) =>
      softTaints.filter((taint) => !tolerates(state.read(softTolerations), taint)).length,
    normalizeScores: (_state, _pod, { scores }) => spreadScores(scores, 'descending'),
    eventsToRegister: () => [
      {
        resource: 'Node',
        actions: ['Add', 'UpdateNodeTaint'],
        hint: ({ pod }, event) => nodeHint(pod, event),
      },
      { resource: 'TargetPod', actions: ['UpdatePodToleration'] },
    ],
  }),
};

function tolerationsOf(pod: Pod): readonly Toleration[] {
  return (pod.spec.tolerations ?? []).filter(({ effect }) => !effect || effect === 'PreferNoSchedule');
}

/** A node matters whose taints the pod tolerates now and did not before. */
function nodeHint(pod: Pod, { previous, next }: ClusterEvent): QueueingHint {
  const isOpen = (node: Node): boolean => toleratesAll(pod.spec.tolerations, node.spec.taints);
  if (!next || !isOpen(next as Node)) return 'QueueSkip';
  return previous && isOpen(previous as Node) ? 'QueueSkip' : 'Queue';
}
