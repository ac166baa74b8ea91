import { normalize, type FilterPlugin, type ScorePlugin } from '../framework.ts';
import { nodeSelectorMatches, nodeSelectorTermMatches } from './node-selector.ts';

/** Honours `nodeSelector` and required node affinity. */
export const nodeAffinity: FilterPlugin = {
  name: 'NodeAffinity',
  wokenBy: ['node'],
  prepare({ pod }) {
    const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    const labels = Object.entries(pod.spec.nodeSelector ?? {});
    if (!required && labels.length === 0) return undefined;
    return ({ node }) => {
      const selected = labels.every(([key, value]) => node.metadata.labels?.[key] === value);
      if (selected && (!required || nodeSelectorMatches(required, node))) return undefined;
      return { reasons: ["node(s) didn't match Pod's node affinity/selector"], final: true };
    };
  },
};

/** Sums the weights of the preferred terms that a node meets. */
export const nodeAffinityScore: ScorePlugin = {
  name: 'NodeAffinity',
  weight: 2,
  prepare({ pod }) {
    const terms = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
    if (terms.length === 0) return undefined;
    return (candidates) =>
      normalize(
        candidates.map(({ node }) =>
          terms
            .filter(({ preference }) => nodeSelectorTermMatches(preference, node))
            .reduce((sum, { weight }) => sum + weight, 0),
        ),
        'ascending',
      );
  },
};
