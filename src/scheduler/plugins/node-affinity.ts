import { spreadScores, type PluginFactory } from '../framework.ts';
import { SKIP, unresolvable } from '../status.ts';
import { nodeSelectorMatches, nodeSelectorTermMatches } from './node-selector.ts';

const name = 'NodeAffinity';
const mismatch = unresolvable("node(s) didn't match Pod's node affinity/selector");

/** Honours `nodeSelector` and node affinity, required and preferred. */
export const nodeAffinity: PluginFactory = {
  name,
  create: () => ({
    name,
    preFilter: (_state, { pod: { spec } }) =>
      spec.nodeSelector || spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
        ? undefined
        : SKIP,
    filter(_state, { pod: { spec } }, { node, labels }) {
      for (const key in spec.nodeSelector) if (labels[key] !== spec.nodeSelector[key]) return mismatch;
      const required = spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
      return required && !nodeSelectorMatches(required, node) ? mismatch : undefined;
    },
    preScore: (_state, { pod: { spec } }) =>
      spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.length ? undefined : SKIP,
    score: (_state, { pod: { spec } }, { node }) =>
      (spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [])
        .filter(({ preference }) => nodeSelectorTermMatches(preference, node))
        .reduce((sum, { weight }) => sum + weight, 0),
    normalizeScores: (_state, _pod, { scores }) => spreadScores(scores, 'ascending'),
    eventsToRegister: () => [{ resource: 'Node', actions: ['Add', 'UpdateNodeLabel'] }],
  }),
};
