import type { Node, Pod } from '../../api/core/v1.gen.ts';
import type { PodIndex } from '../pod-index.ts';
import type { SpreadConstraint } from './spread-constraint.ts';
import { countSpread, spreadClasses, type SpreadDomainCache } from './spread-domains.ts';

const hostname = 'kubernetes.io/hostname';

interface ScoredConstraint {
  readonly constraint: SpreadConstraint;
  /** Damps large numbers of domains: the logarithm of their number plus two. */
  readonly weight: number;
  count(node: Node): number;
}

/** Scores nodes by how many of the pods that the constraints count are in their domains. */
export interface SpreadScorer {
  /** The raw score, lower is better; -1 for nodes without all the labels, which are out of the contest. */
  score(node: Node): number;
}

export interface SpreadScoreOptions {
  readonly index: PodIndex;
  readonly cache: SpreadDomainCache;
  /** Only nodes with the labels of all constraints count (not so with the system's default constraints). */
  readonly labels: 'all' | 'any';
  /** The nodes that will be scored. */
  readonly candidates: readonly Node[];
}

export function spreadScorer(
  pod: Pod,
  constraints: readonly SpreadConstraint[],
  { index, cache, labels, candidates }: SpreadScoreOptions,
): SpreadScorer {
  const keys = labels === 'all' ? constraints.map(({ topologyKey }) => topologyKey) : [];
  const isIn = ({ metadata }: Node): boolean => keys.every((key) => metadata.labels?.[key] !== undefined);
  const contestants = candidates.filter(isIn);
  const scored = constraints.map((constraint): ScoredConstraint => {
    const classes = spreadClasses(constraint, pod, index);
    const { topologyKey } = constraint;
    if (topologyKey === hostname) {
      return {
        constraint,
        weight: Math.log(contestants.length + 2),
        count: ({ metadata }) =>
          classes.reduce((sum, { byNode }) => sum + (byNode.get(metadata.name ?? '') ?? 0), 0),
      };
    }
    const counts = countSpread(constraint, cache.domains(constraint, pod, { index, keys }), classes);
    const domains = new Set(contestants.map(({ metadata }) => metadata.labels?.[topologyKey] ?? ''));
    return {
      constraint,
      weight: Math.log(domains.size + 2),
      count: ({ metadata }) => counts.get(metadata.labels?.[topologyKey] ?? ''),
    };
  });
  return {
    score(node) {
      if (!isIn(node)) return -1;
      let score = 0;
      for (const { constraint, weight, count } of scored) {
        if (node.metadata.labels?.[constraint.topologyKey] === undefined) continue;
        score += count(node) * weight + (constraint.maxSkew - 1);
      }
      return Math.round(score);
    },
  };
}

/** Turns raw scores into 0 to 100, in place: the fewer pods the more; negative ones are out of the contest: 0. */
export function normalizeSpread(scores: number[]): void {
  let lowest = Number.POSITIVE_INFINITY;
  let highest = 0;
  for (const score of scores) {
    if (score < 0) continue;
    if (score < lowest) lowest = score;
    if (score > highest) highest = score;
  }
  for (let index = 0; index < scores.length; index++) {
    const score = scores[index] ?? -1;
    if (score < 0) scores[index] = 0;
    else scores[index] = highest === 0 ? 100 : Math.floor((100 * (highest + lowest - score)) / highest);
  }
}
