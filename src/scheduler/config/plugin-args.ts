import type { NodeAffinity, TopologySpreadConstraint } from '../../api/core/v1.gen.ts';

/** A resource that counts for a score, and how much. */
export interface ResourceWeight {
  readonly name: string;
  readonly weight: number;
}

/** A point of a piecewise linear function: utilization from 0 to 100, score from 0 to 10. */
export interface ShapePoint {
  readonly utilization: number;
  readonly score: number;
}

/** How NodeResourcesFit scores. */
export interface ScoringStrategy {
  readonly type: 'LeastAllocated' | 'MostAllocated' | 'RequestedToCapacityRatio';
  readonly resources: readonly ResourceWeight[];
  /** Present exactly with type `RequestedToCapacityRatio`. */
  readonly requestedToCapacityRatio?: { readonly shape: readonly ShapePoint[] };
}

/** The arguments of all plug-ins of a profile, defaults filled in (kubescheduler.config.k8s.io/v1). */
export interface PluginArgs {
  readonly DefaultPreemption: {
    readonly minCandidateNodesPercentage: number;
    readonly minCandidateNodesAbsolute: number;
  };
  readonly DynamicResources: { readonly filterTimeoutMs: number; readonly bindingTimeoutMs: number };
  readonly InterPodAffinity: {
    readonly hardPodAffinityWeight: number;
    readonly ignorePreferredTermsOfExistingPods: boolean;
  };
  readonly NodeAffinity: { readonly addedAffinity?: NodeAffinity };
  readonly NodeResourcesBalancedAllocation: { readonly resources: readonly ResourceWeight[] };
  readonly NodeResourcesFit: {
    readonly ignoredResources: readonly string[];
    readonly ignoredResourceGroups: readonly string[];
    readonly scoringStrategy: ScoringStrategy;
  };
  readonly PodTopologySpread: {
    readonly defaultConstraints: readonly TopologySpreadConstraint[];
    readonly defaultingType: 'System' | 'List';
  };
  readonly VolumeBinding: { readonly bindTimeoutSeconds: number };
}

const cpuAndMemory: readonly ResourceWeight[] = [
  { name: 'cpu', weight: 1 },
  { name: 'memory', weight: 1 },
];

/** What upstream's plug-ins do when nothing is configured. */
export function defaultPluginArgs(): PluginArgs {
  return {
    DefaultPreemption: { minCandidateNodesPercentage: 10, minCandidateNodesAbsolute: 100 },
    DynamicResources: { filterTimeoutMs: 10_000, bindingTimeoutMs: 600_000 },
    InterPodAffinity: { hardPodAffinityWeight: 1, ignorePreferredTermsOfExistingPods: false },
    NodeAffinity: {},
    NodeResourcesBalancedAllocation: { resources: cpuAndMemory },
    NodeResourcesFit: {
      ignoredResources: [],
      ignoredResourceGroups: [],
      scoringStrategy: { type: 'LeastAllocated', resources: cpuAndMemory },
    },
    PodTopologySpread: { defaultConstraints: [], defaultingType: 'System' },
    VolumeBinding: { bindTimeoutSeconds: 600 },
  };
}
