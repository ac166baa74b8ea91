import type { Diagnosis } from '../framework.ts';
import type { NodeInfo } from '../node-info.ts';
import { isRejection, unresolvable, type Status } from '../status.ts';
import { selectVictims, type Candidate, type DryRun } from './victims.ts';

const unhelpful = unresolvable('Preemption is not helpful for scheduling');

export interface CandidateLimits {
  readonly minCandidateNodesPercentage: number;
  readonly minCandidateNodesAbsolute: number;
}

/** Nodes on which removing pods would help, and what speaks against the others. */
export interface FoundCandidates {
  readonly candidates: readonly Candidate[];
  /** For every node that is no candidate, if none is. */
  readonly reasons: readonly string[];
}

/**
 * Dry-runs preemption node by node, from a random one on, until enough candidates are found of which at least one
 * violates no budget.
 */
export function findCandidates(
  dryRun: DryRun,
  { nodes, rejections, others }: Diagnosis,
  limits: CandidateLimits,
): FoundCandidates {
  const hopeful = hopefulNodes(nodes, rejections, others);
  const wanted = enoughCandidates(hopeful.length, limits);
  const start = Math.floor(dryRun.handle.random() * hopeful.length);
  const candidates: Candidate[] = [];
  const statuses: Status[] = [];
  let violatingNone = 0;
  for (let offset = 0; offset < hopeful.length; offset++) {
    const node = hopeful[(start + offset) % hopeful.length];
    if (!node) continue;
    const result = selectVictims(node, dryRun);
    if ('code' in result) {
      if (!isRejection(result)) throw result.error ?? new Error(result.reasons.join(', '));
      statuses.push(result);
      continue;
    }
    candidates.push(result);
    if (result.violations === 0) violatingNone++;
    if (violatingNone > 0 && candidates.length >= wanted) break;
  }
  const hopeless = nodes.length - hopeful.length;
  const reasons = [
    ...statuses.flatMap((status) => status.reasons),
    ...nodes.slice(0, hopeless).flatMap(() => unhelpful.reasons),
  ];
  return { candidates, reasons };
}

function hopefulNodes(
  nodes: readonly NodeInfo[],
  rejections: Diagnosis['rejections'],
  others: Status,
): readonly NodeInfo[] {
  const helped = rejections.filter(({ status }) => status.code === 'Unschedulable').map(({ node }) => node);
  if (others.code !== 'Unschedulable' || rejections.length === nodes.length) return helped;
  const asked = new Set(rejections.map(({ node }) => node));
  return [...helped, ...nodes.filter((node) => !asked.has(node))];
}

function enoughCandidates(
  nodes: number,
  { minCandidateNodesPercentage, minCandidateNodesAbsolute }: CandidateLimits,
): number {
  const share = Math.floor((nodes * minCandidateNodesPercentage) / 100);
  return Math.min(nodes, Math.max(share, minCandidateNodesAbsolute));
}
