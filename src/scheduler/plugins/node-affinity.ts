import type { Node, NodeAffinity, Pod } from '../../api/core/v1.gen.ts';
import type { ClusterEvent, QueueingHint } from '../cluster-event.ts';
import { stateKey } from '../cycle-state.ts';
import { spreadScores, type PluginFactory } from '../framework.ts';
import { SKIP, unresolvable, type Status } from '../status.ts';
import {
  namedNodes,
  nodeSelectorMatches,
  nodeSelectorTermMatches,
  requiredNodes,
  type NodeMatcher,
} from '../../api/core/node-selector.ts';

const name = 'NodeAffinity';
const mismatch = unresolvable("node(s) didn't match Pod's node affinity/selector");
const enforcedMismatch = unresolvable("node(s) didn't match scheduler-enforced node affinity");
const conflict = unresolvable('pod affinity terms conflict');
const wanted = stateKey<NodeMatcher>(name);

/** Honours `nodeSelector` and node affinity, required and preferred, and the affinity that the profile adds. */
export const nodeAffinity: PluginFactory = {
  name,
  create(_handle, { NodeAffinity: { addedAffinity } }) {
    const enforced = addedAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    const rejection = (node: Node, required: NodeMatcher | undefined): Status | undefined => {
      if (enforced && !nodeSelectorMatches(enforced, node)) return enforcedMismatch;
      return required && !required(node) ? mismatch : undefined;
    };
    return {
      name,
      preFilter(state, { pod }) {
        const required = requiredNodes(pod);
        if (!required) return enforced ? undefined : SKIP;
        state.write(wanted, required);
        const nodeNames = namedNodes(pod);
        if (!nodeNames) return undefined;
        return nodeNames.size === 0 ? conflict : { nodeNames };
      },
      filter: (state, _pod, { node }) => rejection(node, state.read(wanted)),
      preScore: (_state, { pod }) => (preferredTerms(pod, addedAffinity).length > 0 ? undefined : SKIP),
      score: (_state, { pod }, { node }) =>
        preferredTerms(pod, addedAffinity).reduce(
          (sum, { weight, preference }) => (nodeSelectorTermMatches(preference, node) ? sum + weight : sum),
          0,
        ),
      normalizeScores: (_state, _pod, { scores }) => spreadScores(scores, 'ascending'),
      eventsToRegister: () => [
        {
          resource: 'Node',
          actions: ['Add', 'UpdateNodeLabel'],
          hint: ({ pod }, event) => nodeHint(event, (node) => !rejection(node, requiredNodes(pod))),
        },
      ],
    };
  },
};

type PreferredTerms = NonNullable<NodeAffinity['preferredDuringSchedulingIgnoredDuringExecution']>;

function preferredTerms({ spec }: Pod, added: NodeAffinity | undefined): PreferredTerms {
  const own = spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const enforced = added?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return enforced.length > 0 ? [...own, ...enforced] : own;
}

/** A node matters that is wanted now and was not before. */
function nodeHint({ previous, next }: ClusterEvent, isWanted: NodeMatcher): QueueingHint {
  if (!next || !isWanted(next as Node)) return 'QueueSkip';
  return previous && isWanted(previous as Node) ? 'QueueSkip' : 'Queue';
}
