import type { Pod, PodAffinityTerm, WeightedPodAffinityTerm } from '../../api/core/v1.gen.ts';
import { selectorFrom, selectorMatches, type Selector } from '../../machinery/selectors/label-selector.ts';

type Labels = Readonly<Record<string, string>>;

/** Labels of a namespace, for terms that select namespaces by them. */
export type NamespaceLabels = (namespace: string) => Labels | undefined;

/** A pod affinity term, its namespaces defaulted to the owner's. */
export interface AffinityTerm {
  readonly topologyKey: string;
  readonly selector: Selector;
  readonly namespaces: ReadonlySet<string>;
  /** Selects further namespaces. */
  readonly namespaceSelector: Selector | undefined;
}

/** A preferred term; anti-affinity counts negative. */
export interface WeightedTerm {
  readonly term: AffinityTerm;
  readonly weight: number;
}

/** What a pod says about the pods it wants near and far. */
export interface AffinityTerms {
  readonly requiredAffinity: readonly AffinityTerm[];
  readonly requiredAntiAffinity: readonly AffinityTerm[];
  readonly preferred: readonly WeightedTerm[];
}

/** What a term looks at. */
export interface TermSubject {
  readonly namespace: string;
  readonly labels: Labels;
}

export function termSubject({ metadata }: Pod): TermSubject {
  return { namespace: metadata.namespace ?? '', labels: metadata.labels ?? {} };
}

/**
 * The terms of a pod, undefined when it has none. `matchLabelKeys` and `mismatchLabelKeys` are in the selectors already:
 * the API server puts them there when the pod is created (KEP-3633).
 */
export function affinityTerms(pod: Pod): AffinityTerms | undefined {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  if (!podAffinity && !podAntiAffinity) return undefined;
  const parse = (term: PodAffinityTerm): AffinityTerm => parseTerm(term, pod);
  const weighted =
    (sign: 1 | -1) =>
    ({ podAffinityTerm, weight }: WeightedPodAffinityTerm): WeightedTerm => ({
      term: parse(podAffinityTerm),
      weight: sign * weight,
    });
  return {
    requiredAffinity: (podAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(parse),
    requiredAntiAffinity: (podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).map(parse),
    preferred: [
      ...(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(weighted(1)),
      ...(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(weighted(-1)),
    ],
  };
}

/** Whether the term is about such a pod. */
export function termMatches(
  term: AffinityTerm,
  { namespace, labels }: TermSubject,
  namespaceLabels: NamespaceLabels,
): boolean {
  if (!selectorMatches(term.selector, labels)) return false;
  if (term.namespaces.has(namespace)) return true;
  return (
    term.namespaceSelector !== undefined &&
    selectorMatches(term.namespaceSelector, namespaceLabels(namespace))
  );
}

function parseTerm(term: PodAffinityTerm, owner: Pod): AffinityTerm {
  const namespaceSelector = term.namespaceSelector && selectorFrom(term.namespaceSelector);
  const namespaces = new Set(term.namespaces);
  if (namespaces.size === 0 && !namespaceSelector) namespaces.add(owner.metadata.namespace ?? '');
  return {
    topologyKey: term.topologyKey,
    selector: selectorFrom(term.labelSelector),
    namespaces,
    namespaceSelector,
  };
}
