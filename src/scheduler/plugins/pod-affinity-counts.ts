import type { Pod } from '../../api/core/v1.gen.ts';
import { SummedDomains, type DomainCounts } from '../domain-counts.ts';
import type { PodClass } from '../pod-class.ts';
import type { PodIndex } from '../pod-index.ts';
import {
  affinityTerms,
  termMatches,
  termSubject,
  type AffinityTerm,
  type NamespaceLabels,
} from './affinity-term.ts';

type Labels = Readonly<Record<string, string>>;

interface CountedTerm {
  readonly term: AffinityTerm;
  readonly counts: SummedDomains;
}

/** Where the placed pods are that matter to one pod's required affinity and anti-affinity, in both directions. */
export interface PodAffinityCounts {
  /** For each required affinity term the pods that match all of them. */
  readonly affinity: readonly CountedTerm[];
  readonly antiAffinity: readonly CountedTerm[];
  /** By node label: pods that refuse this one in their domain. */
  readonly refusing: Map<string, SummedDomains>;
  /** The pod itself matches all its affinity terms: it may be the first of its kind. */
  readonly matchesItself: boolean;
}

/** A pod tried out on a node, or taken away from it. */
export interface PodAffinityChange {
  /** The pod that the counts are for. */
  readonly pod: Pod;
  readonly other: Pod;
  readonly labels: Labels;
  readonly change: 1 | -1;
  readonly namespaceLabels: NamespaceLabels;
}

/** The rule of required pod affinity that a node breaks. */
export type AffinityViolation = 'affinity' | 'anti-affinity' | 'existing-anti-affinity';

/** Counts for one pod. */
export function countPodAffinity(
  pod: Pod,
  index: PodIndex,
  namespaceLabels: NamespaceLabels,
): PodAffinityCounts {
  const { requiredAffinity = [], requiredAntiAffinity = [] } = affinityTerms(pod) ?? {};
  const subject = termSubject(pod);
  const refusing = refusingDomains(index, (term) => termMatches(term, subject, namespaceLabels));
  const matchesAll = (other: PodClass): boolean =>
    requiredAffinity.every((term) => termMatches(term, other, namespaceLabels));
  const [first] = requiredAffinity;
  const near = first ? [...classesFor(first, index)].filter(matchesAll) : [];
  return {
    affinity: requiredAffinity.map((term) => counted(term, near)),
    antiAffinity: requiredAntiAffinity.map((term) =>
      counted(
        term,
        [...classesFor(term, index)].filter((other) => termMatches(term, other, namespaceLabels)),
      ),
    ),
    refusing,
    matchesItself: requiredAffinity.every((term) => termMatches(term, subject, namespaceLabels)),
  };
}

/** Whether no rule concerns the pod. */
export function isUnconcerned({ affinity, antiAffinity, refusing }: PodAffinityCounts): boolean {
  return affinity.length === 0 && antiAffinity.length === 0 && refusing.size === 0;
}

/** The first rule that a node with these labels breaks, in upstream's order. */
export function affinityViolation(counts: PodAffinityCounts, labels: Labels): AffinityViolation | undefined {
  if (!isNear(counts, labels)) return 'affinity';
  for (const { term, counts: matching } of counts.antiAffinity) {
    const domain = labels[term.topologyKey];
    if (domain !== undefined && matching.get(domain) > 0) return 'anti-affinity';
  }
  for (const [key, refusing] of counts.refusing) {
    const domain = labels[key];
    if (domain !== undefined && refusing.get(domain) > 0) return 'existing-anti-affinity';
  }
  return undefined;
}

/** Changes the counts as `change` more of `other` on a node with these labels would; undone by the opposite. */
export function changePodAffinity(
  counts: PodAffinityCounts,
  { pod, other, labels, change, namespaceLabels }: PodAffinityChange,
): void {
  const placed = termSubject(other);
  const matches = (term: AffinityTerm): boolean => termMatches(term, placed, namespaceLabels);
  const bump = (domains: SummedDomains, key: string): void => {
    const domain = labels[key];
    if (domain !== undefined) domains.add(domain, change);
  };
  if (counts.affinity.every(({ term }) => matches(term))) {
    for (const { term, counts: near } of counts.affinity) bump(near, term.topologyKey);
  }
  for (const { term, counts: avoided } of counts.antiAffinity) {
    if (matches(term)) bump(avoided, term.topologyKey);
  }
  for (const term of affinityTerms(other)?.requiredAntiAffinity ?? []) {
    if (!termMatches(term, termSubject(pod), namespaceLabels)) continue;
    let domains = counts.refusing.get(term.topologyKey);
    if (!domains) counts.refusing.set(term.topologyKey, (domains = new SummedDomains()));
    bump(domains, term.topologyKey);
  }
}

/** The classes that a term could be about, as far as its namespaces tell. */
export function* classesFor(term: AffinityTerm, index: PodIndex): Iterable<PodClass> {
  if (term.namespaceSelector) yield* index.classes();
  else for (const namespace of term.namespaces) yield* index.classesIn(namespace);
}

function isNear({ affinity, matchesItself }: PodAffinityCounts, labels: Labels): boolean {
  let alone = false;
  for (const { term, counts } of affinity) {
    const domain = labels[term.topologyKey];
    if (domain === undefined) return false;
    if (counts.get(domain) <= 0) alone = true;
  }
  return !alone || (matchesItself && affinity.every(({ counts }) => counts.isEmpty()));
}

function counted(term: AffinityTerm, classes: readonly PodClass[]): CountedTerm {
  return { term, counts: new SummedDomains(classes.map((other) => other.byDomain(term.topologyKey))) };
}

function refusingDomains(
  index: PodIndex,
  concerns: (term: AffinityTerm) => boolean,
): Map<string, SummedDomains> {
  const sources = new Map<string, DomainCounts[]>();
  for (const other of index.classesWithTerms()) {
    for (const term of other.terms?.requiredAntiAffinity ?? []) {
      if (!concerns(term)) continue;
      const found = sources.get(term.topologyKey);
      const counts = other.byDomain(term.topologyKey);
      if (found) found.push(counts);
      else sources.set(term.topologyKey, [counts]);
    }
  }
  return new Map([...sources].map(([key, found]) => [key, new SummedDomains(found)]));
}
