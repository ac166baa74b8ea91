import type { NodeInfo } from './node-info.ts';
import type { NamespaceLabels } from './plugins/affinity-term.ts';
import type { PodIndex } from './pod-index.ts';

/**
 * The scheduler's view of the cluster, valid and unchanging for one synchronous scheduling cycle. It is the cache
 * itself, kept up to date change by change: taking it costs nothing, and counts are kept rather than recounted.
 */
export interface Snapshot {
  /** Nodes that exist, taken in turn from each zone. */
  readonly nodes: readonly NodeInfo[];
  node(name: string): NodeInfo | undefined;
  readonly namespaceLabels: NamespaceLabels;
  /** All placed pods by what selectors and affinity terms can tell apart, with counts by node and by node label. */
  readonly pods: PodIndex;
  /** How many nodes have the image, by any of its names. */
  nodesWithImage(name: string): number;
  /** How many placed pods use a claim (`namespace/name`). */
  claimUses(claim: string): number;
}
