import type { PluginFactory } from '../framework.ts';
import { defaultPreemption } from '../preemption/default-preemption.ts';
import { defaultBinder } from './default-binder.ts';
import { dynamicResources } from './dynamic-resources.ts';
import { imageLocality } from './image-locality.ts';
import { interPodAffinity } from './inter-pod-affinity.ts';
import { nodeAffinity } from './node-affinity.ts';
import { nodeDeclaredFeatures } from './node-declared-features.ts';
import { nodeName } from './node-name.ts';
import { nodePorts } from './node-ports.ts';
import { balancedAllocation } from './balanced-allocation.ts';
import { nodeUnschedulable } from './node-unschedulable.ts';
import { prioritySort } from './priority-sort.ts';
import { resourcesFit } from './resources-fit.ts';
import { schedulingGates } from './scheduling-gates.ts';
import { taintToleration } from './taint-toleration.ts';
import { topologySpread } from './topology-spread.ts';
import { nodeVolumeLimits } from './volumes/node-volume-limits.ts';
import { volumeBinding } from './volumes/volume-binding.ts';
import { volumeRestrictions } from './volumes/volume-restrictions.ts';
import { volumeZone } from './volumes/volume-zone.ts';

/** Every plug-in that a profile can enable, by upstream's names. */
export const inTreePlugins: readonly PluginFactory[] = [
  schedulingGates,
  prioritySort,
  nodeUnschedulable,
  nodeName,
  taintToleration,
  nodeAffinity,
  nodePorts,
  resourcesFit,
  volumeRestrictions,
  nodeVolumeLimits,
  volumeBinding,
  volumeZone,
  topologySpread,
  interPodAffinity,
  dynamicResources,
  defaultPreemption,
  balancedAllocation,
  imageLocality,
  defaultBinder,
  nodeDeclaredFeatures,
];
