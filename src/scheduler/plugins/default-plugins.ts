import type { FilterPlugin, ScorePlugin } from '../framework.ts';
import { imageLocality } from './image-locality.ts';
import { interPodAffinity, interPodAffinityScore } from './inter-pod-affinity.ts';
import { balancedAllocation, leastAllocated } from './least-allocated.ts';
import { nodeAffinity, nodeAffinityScore } from './node-affinity.ts';
import { nodeName } from './node-name.ts';
import { nodePorts } from './node-ports.ts';
import { nodeUnschedulable } from './node-unschedulable.ts';
import { resourcesFit } from './resources-fit.ts';
import { taintToleration, taintTolerationScore } from './taint-toleration.ts';
import { topologySpread } from './topology-spread.ts';

/** What decides where a pod goes. */
export interface Plugins {
  /** In the order in which they are asked; the first rejection counts. */
  readonly filters: readonly FilterPlugin[];
  readonly scores: readonly ScorePlugin[];
}

/** The plug-ins of upstream's default profile, in its order and with its weights. */
export const defaultPlugins: Plugins = {
  filters: [
    nodeUnschedulable,
    nodeName,
    taintToleration,
    nodeAffinity,
    nodePorts,
    resourcesFit,
    topologySpread,
    interPodAffinity,
  ],
  scores: [
    taintTolerationScore,
    nodeAffinityScore,
    leastAllocated,
    interPodAffinityScore,
    balancedAllocation,
    imageLocality,
  ],
};
