import type { Pod } from '../../api/core/v1.gen.ts';
import type { SummedDomains } from '../domain-counts.ts';
import type { NodeInfo } from '../node-info.ts';
import type { PodClass } from '../pod-class.ts';
import type { PodIndex } from '../pod-index.ts';
import type { SpreadConstraint } from './spread-constraint.ts';
import { countSpread, spreadClasses, type SpreadDomainCache } from './spread-domains.ts';

const hostname = 'kubernetes.io/hostname';
const zone = 'topology.kubernetes.io/zone';

export interface SpreadScoreOptions {
  readonly index: PodIndex;
  readonly cache: SpreadDomainCache;
  /** Only nodes with the labels of all constraints count (not so with the system's default constraints). */
  readonly labels: 'all' | 'any';
  /** The nodes to score. */
  readonly nodes: readonly ScoredNode[];
}

type ScoredNode = Pick<NodeInfo, 'name' | 'labels' | 'hostname' | 'zone' | 'podsOf'>;

/**
 * Scores nodes, index by index, by how many of the pods that the constraints count are in their domains: lower is better; -1
 * for nodes without all the labels, which are out of the contest.
 */
export function spreadScoresOf(
  pod: Pod,
  constraints: readonly SpreadConstraint[],
  { index, cache, labels, nodes }: SpreadScoreOptions,
): number[] {
  const keys = labels === 'all' ? constraints.map(({ topologyKey }) => topologyKey) : [];
  const isIn = (node: ScoredNode): boolean => keys.every((key) => node.labels[key] !== undefined);
  const contestants = keys.length === 0 || nodes.every(isIn) ? nodes : nodes.filter(isIn);
  const scores = contestants.map(() => 0);
  for (const constraint of constraints) {
    const classes = spreadClasses(constraint, pod, index);
    if (constraint.topologyKey === hostname) {
      addByHost(scores, constraint, contestants, classes);
    } else {
      const counts = countSpread(constraint, cache.domains(constraint, pod, { index, keys }), classes);
      addByDomain(scores, constraint, contestants, counts);
    }
  }
  for (let at = 0; at < scores.length; at++) scores[at] = Math.round(scores[at] ?? 0);
  if (contestants === nodes) return scores;
  let next = 0;
  return nodes.map((node) => (node === contestants[next] ? (scores[next++] ?? 0) : -1));
}

/** Large numbers of domains are damped: by the logarithm of their number plus two. */
function addByHost(
  scores: number[],
  { maxSkew }: SpreadConstraint,
  nodes: readonly ScoredNode[],
  classes: readonly PodClass[],
): void {
  const weight = Math.log(nodes.length + 2);
  const [only] = classes;
  for (let at = 0; at < nodes.length; at++) {
    const node = nodes[at];
    if (node?.hostname === undefined) continue;
    let count = 0;
    if (only && classes.length === 1) count = node.podsOf(only);
    else for (const one of classes) count += one.byNode.get(node.name) ?? 0;
    scores[at] = (scores[at] ?? 0) + count * weight + (maxSkew - 1);
  }
}

/** Nodes without the label are a domain of their own for the weight, and get nothing. */
function addByDomain(
  scores: number[],
  { topologyKey, maxSkew }: SpreadConstraint,
  nodes: readonly ScoredNode[],
  counts: SummedDomains,
): void {
  const domains = nodes.map(topologyKey === zone ? (node) => node.zone : ({ labels }) => labels[topologyKey]);
  const held = new Map<string, number>();
  for (const domain of new Set(domains)) held.set(domain ?? '', counts.get(domain ?? ''));
  const weight = Math.log(held.size + 2);
  for (let at = 0; at < nodes.length; at++) {
    const domain = domains[at];
    if (domain === undefined) continue;
    scores[at] = (scores[at] ?? 0) + (held.get(domain) ?? 0) * weight + (maxSkew - 1);
  }
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
