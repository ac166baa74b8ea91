import type { Pod, PodAffinityTerm } from '../../api/core/v1.gen.ts';
import type { LabelSelectorRequirement } from '../../machinery/meta/v1.gen.ts';
import { selectorFrom, selectorMatches } from '../../machinery/selectors/label-selector.ts';
import type { Snapshot } from '../framework.ts';

/** A pod affinity term made ready for comparing many pods with it. */
export interface ParsedTerm {
  readonly topologyKey: string;
  matches(pod: Pod): boolean;
}

/** Reads a term of `owner`: namespaces default to the owner's, label keys narrow by the owner's own values. */
export function parseTerm(term: PodAffinityTerm, owner: Pod, snapshot: Snapshot): ParsedTerm {
  const selector = selectorFrom(
    term.labelSelector && {
      ...term.labelSelector,
      matchExpressions: [
        ...(term.labelSelector.matchExpressions ?? []),
        ...ownValues(term.matchLabelKeys, 'In', owner),
        ...ownValues(term.mismatchLabelKeys, 'NotIn', owner),
      ],
    },
  );
  const namespaces = new Set(term.namespaces);
  const namespaceSelector = term.namespaceSelector && selectorFrom(term.namespaceSelector);
  if (namespaces.size === 0 && !namespaceSelector) namespaces.add(owner.metadata.namespace ?? '');
  return {
    topologyKey: term.topologyKey,
    matches({ metadata: { namespace = '', labels } }) {
      const inNamespace =
        namespaces.has(namespace) ||
        (namespaceSelector !== undefined &&
          selectorMatches(namespaceSelector, snapshot.namespaceLabels(namespace)));
      return inNamespace && selectorMatches(selector, labels);
    },
  };
}

function ownValues(
  keys: readonly string[] | undefined,
  operator: 'In' | 'NotIn',
  owner: Pod,
): LabelSelectorRequirement[] {
  return (keys ?? []).flatMap((key) => {
    const value = owner.metadata.labels?.[key];
    return value === undefined ? [] : [{ key, operator, values: [value] }];
  });
}
