import type { Candidate, ClusterEvent, FilterPlugin, Rejection, Snapshot } from './framework.ts';
import type { PodInfo } from './pod-info.ts';
import type { Plugins } from './plugins/default-plugins.ts';

/** Where a pod should go, or why it can go nowhere. */
export type Placement =
  | { readonly nodeName: string }
  | {
      readonly nodeName?: never;
      /** How many nodes exist. */
      readonly nodes: number;
      readonly rejections: readonly Rejection[];
      /** What may change the answer. */
      readonly wokenBy: ReadonlySet<ClusterEvent>;
    };

export interface PlacementOptions {
  readonly plugins: Plugins;
  readonly snapshot: Snapshot;
  /** Where among the nodes to start, so that large clusters are used evenly. */
  readonly start: number;
}

/**
 * Finds the best node for a pod: filters nodes until enough fit, scores those and takes the highest; among equals the
 * first. Large clusters are sampled as upstream does (50 % less 1 % for each 125 nodes, at least 5 % and 100 nodes).
 */
export function placePod(pod: PodInfo, { plugins, snapshot, start }: PlacementOptions): Placement {
  const { nodes } = snapshot;
  const filters = prepareFilters(pod, plugins, snapshot);
  const enough = enoughCandidates(nodes.length);
  const candidates: Candidate[] = [];
  const rejections: Rejection[] = [];
  const wokenBy = new Set<ClusterEvent>(['node']);
  for (let offset = 0; offset < nodes.length && candidates.length < enough; offset++) {
    const info = nodes[(start + offset) % nodes.length];
    if (!info?.node) continue;
    const candidate = { node: info.node, info };
    const rejected = rejectionOf(candidate, filters);
    if (!rejected) candidates.push(candidate);
    else {
      rejections.push(rejected.rejection);
      for (const event of rejected.plugin.wokenBy) wokenBy.add(event);
    }
  }
  const [only] = candidates;
  if (!only) return { nodes: nodes.length, rejections, wokenBy };
  if (candidates.length === 1) return { nodeName: only.node.metadata.name };
  return { nodeName: best(pod, candidates, { plugins, snapshot }).node.metadata.name };
}

interface PreparedFilter {
  readonly plugin: FilterPlugin;
  filter(candidate: Candidate): Rejection | undefined;
}

function prepareFilters(pod: PodInfo, plugins: Plugins, snapshot: Snapshot): PreparedFilter[] {
  return plugins.filters.flatMap((plugin) => {
    const filter = plugin.prepare(pod, snapshot);
    return filter ? [{ plugin, filter }] : [];
  });
}

function rejectionOf(
  candidate: Candidate,
  filters: readonly PreparedFilter[],
): { readonly plugin: FilterPlugin; readonly rejection: Rejection } | undefined {
  for (const { plugin, filter } of filters) {
    const rejection = filter(candidate);
    if (rejection) return { plugin, rejection };
  }
  return undefined;
}

function enoughCandidates(nodes: number): number {
  if (nodes < 100) return nodes;
  const percentage = Math.max(5, Math.floor(50 - nodes / 125));
  return Math.max(100, Math.floor((nodes * percentage) / 100));
}

function best(
  pod: PodInfo,
  candidates: readonly Candidate[],
  { plugins, snapshot }: Pick<PlacementOptions, 'plugins' | 'snapshot'>,
): Candidate {
  const totals = candidates.map((candidate) => ({ candidate, score: 0 }));
  for (const { weight, prepare } of plugins.scores) {
    const scores = prepare(pod, snapshot)?.(candidates);
    if (scores) for (const [index, total] of totals.entries()) total.score += weight * (scores[index] ?? 0);
  }
  return totals.reduce((a, b) => (b.score > a.score ? b : a)).candidate;
}
