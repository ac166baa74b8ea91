import type { ResourceWeight, ScoringStrategy, ShapePoint } from '../config/plugin-args.ts';
import type { NodeInfo } from '../node-info.ts';
import type { PodInfo } from '../pod-info.ts';
import { amountOf } from '../resource-amounts.ts';

/** Which requests count: real ones, or with something assumed for containers that ask for no CPU or memory. */
export type RequestKind = 'real' | 'assumed';

/** How much of a resource would be requested with the pod on the node, out of how much. */
export interface Usage {
  readonly requested: number;
  readonly allocatable: number;
}

/** A score from 0 to 100 for a node with the pod on it. */
export type ResourceScorer = (pod: PodInfo, node: NodeInfo) => number;

/** How NodeResourcesFit scores (upstream's three scoring strategies). */
export function strategyScorer({
  type,
  resources,
  requestedToCapacityRatio,
}: ScoringStrategy): ResourceScorer {
  switch (type) {
    case 'MostAllocated':
      return (pod, node) => weightedScore(resources, { pod, node, score: mostRequested });
    case 'RequestedToCapacityRatio': {
      const scoreAt = brokenLine(requestedToCapacityRatio?.shape ?? []);
      return (pod, node) =>
        ratioScore(resources, { pod, node, score: (usage) => scoreAt(utilization(usage)) });
    }
    default:
      return (pod, node) => weightedScore(resources, { pod, node, score: leastRequested });
  }
}

/**
 * What would be requested of each resource; undefined for those that do not count: the node has none, or it is an
 * extended resource that the pod does not ask for.
 */
export function usageOf(name: string, kind: RequestKind, pod: PodInfo, node: NodeInfo): Usage | undefined {
  const allocatable = amountOf(node.allocatable, name);
  if (allocatable === 0) return undefined;
  if (kind === 'assumed') {
    if (name === 'cpu') return { allocatable, requested: node.scoringCpu + pod.scoringCpu };
    if (name === 'memory') return { allocatable, requested: node.scoringMemory + pod.scoringMemory };
  }
  const wanted = amountOf(pod.requests, name);
  if (wanted === 0 && isScalar(name)) return undefined;
  return { allocatable, requested: amountOf(node.requested, name) + wanted };
}

/** The score of a straight line drawn through the points, in whole numbers as upstream computes it. */
export function brokenLine(shape: readonly ShapePoint[]): (utilization: number) => number {
  const points = shape.map(({ utilization, score }) => ({ utilization, score: score * 10 }));
  return (at) => {
    let before: ShapePoint | undefined;
    for (const point of points) {
      if (at > point.utilization) {
        before = point;
        continue;
      }
      if (!before) return point.score;
      const rise = (point.score - before.score) * (at - before.utilization);
      return before.score + Math.trunc(rise / (point.utilization - before.utilization));
    }
    return before?.score ?? 0;
  };
}

interface Scoring {
  readonly pod: PodInfo;
  readonly node: NodeInfo;
  score(usage: Usage): number;
}

function weightedScore(resources: readonly ResourceWeight[], { pod, node, score }: Scoring): number {
  let sum = 0;
  let weights = 0;
  for (const { name, weight } of resources) {
    const usage = usageOf(name, 'assumed', pod, node);
    if (!usage) continue;
    sum += score(usage) * weight;
    weights += weight;
  }
  return weights === 0 ? 0 : Math.floor(sum / weights);
}

/** Resources that score nothing have no weight, and the mean is rounded. */
function ratioScore(resources: readonly ResourceWeight[], { pod, node, score }: Scoring): number {
  let sum = 0;
  let weights = 0;
  for (const { name, weight } of resources) {
    const usage = usageOf(name, 'assumed', pod, node);
    const scored = usage ? score(usage) : 0;
    if (scored <= 0) continue;
    sum += scored * weight;
    weights += weight;
  }
  return weights === 0 ? 0 : Math.round(sum / weights);
}

function leastRequested({ requested, allocatable }: Usage): number {
  return requested > allocatable ? 0 : Math.floor(((allocatable - requested) * 100) / allocatable);
}

function mostRequested({ requested, allocatable }: Usage): number {
  return Math.floor((Math.min(requested, allocatable) * 100) / allocatable);
}

function utilization({ requested, allocatable }: Usage): number {
  return requested > allocatable ? 100 : Math.floor((requested * 100) / allocatable);
}

function isScalar(name: string): boolean {
  return name !== 'cpu' && name !== 'memory' && name !== 'ephemeral-storage';
}
