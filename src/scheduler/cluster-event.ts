import type { KubeObject, Live } from '../machinery/object.ts';
import type { PodInfo } from './pod-info.ts';

/** What changed, by kind. `AssignedPod`: a pod that has a node; `TargetPod`: the waiting pod itself. */
export type EventResource =
  | 'AssignedPod'
  | 'TargetPod'
  | 'Node'
  | 'Namespace'
  | 'PersistentVolume'
  | 'PersistentVolumeClaim'
  | 'StorageClass'
  | 'CSINode'
  | 'CSIDriver'
  | 'CSIStorageCapacity'
  | 'VolumeAttachment'
  | 'ResourceClaim'
  | 'ResourceSlice'
  | 'DeviceClass'
  | '*';

/** How it changed. `Update` is any change that no finer name stands for; nodes and pods have only the finer ones. */
export type EventAction =
  | 'Add'
  | 'Delete'
  | 'Update'
  | 'UpdateNodeAllocatable'
  | 'UpdateNodeLabel'
  | 'UpdateNodeTaint'
  | 'UpdateNodeCondition'
  | 'UpdateNodeAnnotation'
  | 'UpdateNodeDeclaredFeature'
  | 'UpdatePodLabel'
  | 'UpdatePodScaleDown'
  | 'UpdatePodToleration'
  | 'UpdatePodSchedulingGatesEliminated'
  | 'UpdatePodGeneratedResourceClaim'
  | 'UpdatePodOther';

/** Something that happened in the cluster. One change of an object can be several events. */
export interface ClusterEvent {
  readonly resource: EventResource;
  readonly action: EventAction;
  /** The object before and after; neither for `*`. */
  readonly previous?: Live<KubeObject>;
  readonly next?: Live<KubeObject>;
}

/** Whether an event may make a rejected pod schedulable. */
export type QueueingHint = 'Queue' | 'QueueSkip';

/** Events after which pods that a plug-in rejected are looked at again. */
export interface EventRegistration {
  readonly resource: EventResource;
  readonly actions: readonly EventAction[];
  /** Asked for each waiting pod that the plug-in rejected; without it, every such event is `Queue`. May throw: `Queue`. */
  hint?(pod: PodInfo, event: ClusterEvent): QueueingHint;
}
