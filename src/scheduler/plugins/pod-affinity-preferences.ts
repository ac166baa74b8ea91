import type { Pod } from '../../api/core/v1.gen.ts';
import type { PluginArgs } from '../config/plugin-args.ts';
import type { DomainCounts } from '../domain-counts.ts';
import type { PodIndex } from '../pod-index.ts';
import {
  affinityTerms,
  termMatches,
  termSubject,
  type AffinityTerm,
  type NamespaceLabels,
} from './affinity-term.ts';
import { classesFor } from './pod-affinity-counts.ts';

type Labels = Readonly<Record<string, string>>;

/** By node label, what each placed pod in the node's domain adds to its score. */
export type PodAffinityPreferences = ReadonlyMap<string, readonly WeightedCounts[]>;

interface WeightedCounts {
  readonly weight: number;
  readonly counts: DomainCounts;
}

export interface PreferenceOptions {
  readonly index: PodIndex;
  readonly namespaceLabels: NamespaceLabels;
  readonly args: PluginArgs['InterPodAffinity'];
}

/** What the pod prefers of placed pods, and they of it; undefined when nobody has a preference. */
export function podAffinityPreferences(
  pod: Pod,
  { index, namespaceLabels, args }: PreferenceOptions,
): PodAffinityPreferences | undefined {
  const own = affinityTerms(pod)?.preferred ?? [];
  if (own.length === 0 && args.ignorePreferredTermsOfExistingPods) return undefined;
  const preferences = new Map<string, WeightedCounts[]>();
  const add = ({ topologyKey }: AffinityTerm, weight: number, counts: DomainCounts): void => {
    if (counts.size === 0 || weight === 0) return;
    const found = preferences.get(topologyKey);
    if (found) found.push({ weight, counts });
    else preferences.set(topologyKey, [{ weight, counts }]);
  };
  for (const { term, weight } of own) {
    for (const other of classesFor(term, index)) {
      if (termMatches(term, other, namespaceLabels)) add(term, weight, other.byDomain(term.topologyKey));
    }
  }
  const subject = termSubject(pod);
  for (const other of index.classesWithTerms()) {
    const theirs = [
      ...(other.terms?.requiredAffinity ?? []).map((term) => ({ term, weight: args.hardPodAffinityWeight })),
      ...(other.terms?.preferred ?? []),
    ];
    for (const { term, weight } of theirs) {
      if (termMatches(term, subject, namespaceLabels)) add(term, weight, other.byDomain(term.topologyKey));
    }
  }
  if (preferences.size === 0) return undefined;
  return new Map(
    [...preferences].map(([key, counts]) => [key, counts.length > 8 ? [merged(counts)] : counts]),
  );
}

/** The raw score of a node with these labels; may be negative. */
export function preferenceScore(preferences: PodAffinityPreferences, labels: Labels): number {
  let score = 0;
  for (const [key, counted] of preferences) {
    const domain = labels[key];
    if (domain === undefined) continue;
    for (const { weight, counts } of counted) score += weight * (counts.get(domain) ?? 0);
  }
  return score;
}

/** Spreads raw scores, which may be negative, over 0 to 100, in place. */
export function normalizePreferences(scores: number[]): void {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = Number.NEGATIVE_INFINITY;
  for (const score of scores) {
    if (score < lowest) lowest = score;
    if (score > highest) highest = score;
  }
  const range = highest - lowest;
  for (let index = 0; index < scores.length; index++) {
    scores[index] = range > 0 ? Math.floor(100 * (((scores[index] ?? 0) - lowest) / range)) : 0;
  }
}

function merged(counted: readonly WeightedCounts[]): WeightedCounts {
  const sum = new Map<string, number>();
  for (const { weight, counts } of counted) {
    for (const [domain, count] of counts) sum.set(domain, (sum.get(domain) ?? 0) + weight * count);
  }
  return { weight: 1, counts: sum };
}
