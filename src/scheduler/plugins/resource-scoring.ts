import type { ResourceWeight, ScoringStrategy, ShapePoint } from '../config/plugin-args.ts';
import type { NodeInfo } from '../node-info.ts';
import type { PodInfo } from '../pod-info.ts';
import { amountOf } from '../resource-amounts.ts';

/** Which requests count: real ones, or with something assumed for containers that ask for no CPU or memory. */
export type RequestKind = 'real' | 'assumed';

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
      return weightedMean(resources, mostRequested);
    case 'RequestedToCapacityRatio': {
      const scoreAt = brokenLine(requestedToCapacityRatio?.shape ?? []);
      return roundedMean(resources, (requested, allocatable) => scoreAt(utilization(requested, allocatable)));
    }
    default:
      return weightedMean(resources, leastRequested);
  }
}

/**
 * What would be requested of a resource with the pod on the node; undefined when it does not count, being an extended
 * resource that the pod does not ask for.
 */
export function requestedWith(
  name: string,
  kind: RequestKind,
  pod: PodInfo,
  node: NodeInfo,
): number | undefined {
  if (kind === 'assumed') {
    if (name === 'cpu') return node.scoringCpu + pod.scoringCpu;
    if (name === 'memory') return node.scoringMemory + pod.scoringMemory;
  }
  const wanted = amountOf(pod.requests, name);
  return wanted === 0 && isScalar(name) ? undefined : amountOf(node.requested, name) + wanted;
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

type Score = (requested: number, allocatable: number) => number;

function weightedMean(resources: readonly ResourceWeight[], score: Score): ResourceScorer {
  return (pod, node) => {
    let sum = 0;
    let weights = 0;
    for (const { name, weight } of resources) {
      const allocatable = amountOf(node.allocatable, name);
      const requested = requestedWith(name, 'assumed', pod, node);
      if (allocatable === 0 || requested === undefined) continue;
      sum += score(requested, allocatable) * weight;
      weights += weight;
    }
    return weights === 0 ? 0 : Math.floor(sum / weights);
  };
}

/** Resources that score nothing have no weight, and the mean is rounded. */
function roundedMean(resources: readonly ResourceWeight[], score: Score): ResourceScorer {
  return (pod, node) => {
    let sum = 0;
    let weights = 0;
    for (const { name, weight } of resources) {
      const allocatable = amountOf(node.allocatable, name);
      const requested = requestedWith(name, 'assumed', pod, node);
      const scored = allocatable === 0 || requested === undefined ? 0 : score(requested, allocatable);
      if (scored <= 0) continue;
      sum += scored * weight;
      weights += weight;
    }
    return weights === 0 ? 0 : Math.round(sum / weights);
  };
}

function leastRequested(requested: number, allocatable: number): number {
  return requested > allocatable ? 0 : Math.floor(((allocatable - requested) * 100) / allocatable);
}

function mostRequested(requested: number, allocatable: number): number {
  return Math.floor((Math.min(requested, allocatable) * 100) / allocatable);
}

function utilization(requested: number, allocatable: number): number {
  return requested > allocatable ? 100 : Math.floor((requested * 100) / allocatable);
}

function isScalar(name: string): boolean {
  return name !== 'cpu' && name !== 'memory' && name !== 'ephemeral-storage';
}
