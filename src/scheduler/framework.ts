import type { Node } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import type { NodeInfo } from './node-info.ts';
import type { PodInfo } from './pod-info.ts';

/** Changes in the cluster that may make a pod fit that did not. */
export type ClusterEvent = 'node' | 'pod-gone' | 'pod-placed' | 'namespace';

/** Why a pod cannot go to a node, in upstream's words. */
export interface Rejection {
  readonly reasons: readonly string[];
  /** Removing other pods from the node would not help. */
  readonly final: boolean;
}

/** What a plug-in may look at. */
export interface Snapshot {
  readonly nodes: readonly NodeInfo[];
  /** Labels of a namespace, for terms that select namespaces. */
  namespaceLabels(name: string): Readonly<Record<string, string>> | undefined;
}

/** A node that exists, with its account. */
export interface Candidate {
  readonly node: Live<Node>;
  readonly info: NodeInfo;
}

/** Decides which nodes a pod may go to. */
export interface FilterPlugin {
  /** Upstream's plug-in name. */
  readonly name: string;
  /** Events after which a pod that this plug-in rejected is tried again. */
  readonly wokenBy: readonly ClusterEvent[];
  /** Prepares for one pod; undefined when the plug-in has nothing to say about it. */
  prepare(pod: PodInfo, snapshot: Snapshot): ((candidate: Candidate) => Rejection | undefined) | undefined;
}

/** Prefers some of the nodes that a pod may go to. */
export interface ScorePlugin {
  readonly name: string;
  readonly weight: number;
  /** Prepares for one pod: a score for each candidate, in their order, from 0 to 100. Undefined: no preference. */
  prepare(
    pod: PodInfo,
    snapshot: Snapshot,
  ): ((candidates: readonly Candidate[]) => readonly number[]) | undefined;
}

/** Spreads raw scores over 0 to 100, the highest becoming 100 (upstream's DefaultNormalizeScore). */
export function normalize(raw: readonly number[], order: 'ascending' | 'descending'): readonly number[] {
  const highest = Math.max(0, ...raw);
  if (highest === 0) return raw.map(() => (order === 'ascending' ? 0 : 100));
  return raw.map((score) => {
    const scaled = Math.floor((100 * score) / highest);
    return order === 'ascending' ? scaled : 100 - scaled;
  });
}
