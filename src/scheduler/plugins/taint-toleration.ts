import { normalize, type FilterPlugin, type ScorePlugin } from '../framework.ts';
import { tolerates } from './toleration.ts';

/** Keeps pods off nodes whose taints they do not tolerate. */
export const taintToleration: FilterPlugin = {
  name: 'TaintToleration',
  wokenBy: ['node'],
  prepare:
    ({ pod }) =>
    ({ node }) => {
      const untolerated = (node.spec.taints ?? []).some(
        (taint) => taint.effect !== 'PreferNoSchedule' && !tolerates(pod.spec.tolerations, taint),
      );
      return untolerated ? { reasons: ['node(s) had untolerated taint(s)'], final: true } : undefined;
    },
};

/** Prefers nodes with fewer `PreferNoSchedule` taints that the pod does not tolerate. */
export const taintTolerationScore: ScorePlugin = {
  name: 'TaintToleration',
  weight: 3,
  prepare({ pod }) {
    const tolerations = (pod.spec.tolerations ?? []).filter(
      ({ effect }) => !effect || effect === 'PreferNoSchedule',
    );
    return (candidates) =>
      normalize(
        candidates.map(
          ({ node }) =>
            (node.spec.taints ?? []).filter(
              (taint) => taint.effect === 'PreferNoSchedule' && !tolerates(tolerations, taint),
            ).length,
        ),
        'descending',
      );
  },
};
