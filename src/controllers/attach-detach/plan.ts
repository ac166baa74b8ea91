import type { AttachedVolume, Node, Pod } from '../../api/core/v1.gen.ts';
import type { VolumeAttachment } from '../../api/storage/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { conditionOf } from '../../reconcile/conditions.ts';
import { isPodFinished } from '../pods/pod-state.ts';
import { attachmentName, uniqueVolumeName, type CsiVolume } from '../../api/storage/csi-volume.ts';

/** How long a node that does not answer may keep a volume mounted (upstream's maxWaitForUnmountDuration). */
export const unmountPatienceMs: number = 6 * 60_000;

export interface NodeObservation {
  readonly nodeName: string;
  /** Undefined when the node is gone. */
  readonly node: Live<Node> | undefined;
  /** What pods on the node use. */
  readonly wanted: readonly CsiVolume[];
  /** What is attached to the node, or is being, with the volume that it is. */
  readonly attached: readonly { readonly attachment: Live<VolumeAttachment>; readonly volume: CsiVolume }[];
  /** Nodes other than this one to which a volume is attached. */
  nodesOf(volume: CsiVolume): readonly string[];
  /** For how many milliseconds an attached volume has been unused by pods. */
  unusedMs(attachment: string): number;
}

export interface NodePlan {
  readonly create: readonly VolumeAttachment[];
  readonly remove: readonly Live<VolumeAttachment>[];
  /** What the node's status should list. */
  readonly volumesAttached: readonly AttachedVolume[];
  /** Volumes that cannot come because another node has them. */
  readonly blocked: readonly CsiVolume[];
  /** When to look again, if only time brings the next step. */
  readonly recheckMs: number | undefined;
}

/**
 * Decides what is attached to a node: what its pods use. What they no longer use is detached once the node has unmounted
 * it, or has been unreachable for long enough, or somebody has declared it out of service.
 */
export function planNode(observation: NodeObservation): NodePlan {
  const { nodeName, node, wanted, attached, nodesOf, unusedMs } = observation;
  const names = new Set(wanted.map((volume) => attachmentName(volume, nodeName)));
  const held = new Set(attached.map(({ attachment }) => attachment.metadata.name));
  const remove: Live<VolumeAttachment>[] = [];
  const waits: number[] = [];
  for (const { attachment, volume } of attached) {
    const { name, deletionTimestamp } = attachment.metadata;
    if (names.has(name) || deletionTimestamp !== undefined) continue;
    const waitMs = msUntilDetachable(node, volume, unusedMs(name));
    if (waitMs === 0) remove.push(attachment);
    else if (waitMs !== undefined) waits.push(waitMs);
  }
  const missing = node ? wanted.filter((volume) => !held.has(attachmentName(volume, nodeName))) : [];
  const blocked = missing.filter((volume) => volume.exclusive && nodesOf(volume).length > 0);
  const going = new Set(remove.map(({ metadata }) => metadata.name));
  return {
    create: missing
      .filter((volume) => !blocked.includes(volume))
      .map((volume) => newAttachment(volume, nodeName)),
    remove,
    volumesAttached: attached
      .filter(
        ({ attachment: { status, metadata } }) =>
          status?.attached === true && metadata.deletionTimestamp === undefined && !going.has(metadata.name),
      )
      .map(({ volume }) => ({ name: uniqueVolumeName(volume), devicePath: '' }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    blocked,
    recheckMs: waits.length > 0 ? Math.min(...waits) : undefined,
  };
}

function msUntilDetachable(
  node: Live<Node> | undefined,
  volume: CsiVolume,
  unusedMs: number,
): number | undefined {
  const patience = Math.max(0, unmountPatienceMs - unusedMs);
  if (!node) return patience;
  const inUse = node.status?.volumesInUse?.includes(uniqueVolumeName(volume)) === true;
  const isOut = node.spec.taints?.some(({ key }) => key === 'node.kubernetes.io/out-of-service') === true;
  if (!inUse || isOut) return 0;
  return conditionOf(node.status?.conditions, 'Ready')?.status === 'True' ? undefined : patience;
}

function newAttachment({ name, ...volume }: CsiVolume, nodeName: string): VolumeAttachment {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'VolumeAttachment',
    metadata: { name: attachmentName(volume, nodeName) },
    spec: { attacher: volume.driver, nodeName, source: { persistentVolumeName: name } },
  };
}

/** Whether a pod that has a node still needs its volumes there. */
export function needsVolumes(pod: Pod): boolean {
  if (isPodFinished(pod)) return false;
  if (pod.metadata.deletionTimestamp === undefined) return true;
  return (pod.status?.containerStatuses ?? []).some(({ state }) => state?.running !== undefined);
}
