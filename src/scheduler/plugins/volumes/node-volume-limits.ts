import { persistentvolumeclaims, persistentvolumes } from '../../../api/core/v1.gen.ts';
import {
  csinodes,
  storageclasses,
  volumeattachments,
  type CSINode,
  type VolumeAttachment,
} from '../../../api/storage/v1.gen.ts';
import type { Live } from '../../../machinery/object.ts';
import type { ClusterEvent, QueueingHint } from '../../cluster-event.ts';
import { stateKey } from '../../cycle-state.ts';
import type { PluginFactory } from '../../framework.ts';
import type { NodeInfo } from '../../node-info.ts';
import { SKIP, unschedulable } from '../../status.ts';
import { csiVolume, type CsiLookup, type CsiVolume } from './csi-volumes.ts';
import { claimHint } from './volume-binding.ts';

const name = 'NodeVolumeLimits';
const full = unschedulable('node(s) exceed max volume count');
const wanted = stateKey<readonly CsiVolume[]>(name);

/** Keeps the volumes of a storage driver on a node within the number that its CSINode names. */
export const nodeVolumeLimits: PluginFactory = {
  name,
  create({ informers }) {
    const claims = informers.for(persistentvolumeclaims);
    const volumes = informers.for(persistentvolumes);
    const classes = informers.for(storageclasses);
    const csiNodes = informers.for(csinodes);
    const attachments = informers.for(volumeattachments);
    attachments.addIndex('node', ({ spec }) => [spec.nodeName]);
    const lookup: CsiLookup = {
      claim: (namespace, claimName) => claims.get(namespace, claimName),
      volume: (volumeName) => volumes.get(undefined, volumeName),
      storageClass: (className) => classes.get(undefined, className),
    };
    const attached = (nodeName: string): readonly CsiVolume[] =>
      attachments.byIndex('node', nodeName).flatMap((attachment) => attachedVolume(attachment, lookup) ?? []);
    return {
      name,
      preFilter(state, { claims: used, namespace }) {
        if (used.length === 0) return SKIP;
        const found = used.flatMap((claimName) => csiVolume(namespace, claimName, lookup) ?? []);
        if (found.length === 0) return SKIP;
        state.write(wanted, found);
        return undefined;
      },
      filter(state, _pod, node) {
        const limits = limitsOf(csiNodes.get(undefined, node.name));
        if (limits.size === 0) return undefined;
        const there = new Map(attached(node.name).map((volume) => [volume.id, volume.driver]));
        for (const { id, driver } of volumesOn(node, lookup)) there.set(id, driver);
        return exceeds(limits, there, state.read(wanted) ?? []) ? full : undefined;
      },
      eventsToRegister: () => [
        { resource: 'CSINode', actions: ['Add', 'Update'], hint: (_pod, event) => csiNodeHint(event) },
        { resource: 'AssignedPod', actions: ['Delete'], hint: (_pod, event) => podGoneHint(event) },
        { resource: 'PersistentVolumeClaim', actions: ['Add', 'Update'], hint: claimHint },
        { resource: 'VolumeAttachment', actions: ['Delete'] },
      ],
    };
  },
};

/** Whether `more` volumes are too many for a driver, beside those that are `there` (driver by id). */
export function exceeds(
  limits: ReadonlyMap<string, number>,
  there: ReadonlyMap<string, string>,
  more: readonly CsiVolume[],
): boolean {
  const all = new Map(there);
  const drivers = new Set<string>();
  for (const { id, driver } of more) {
    if (!all.has(id)) drivers.add(driver);
    all.set(id, driver);
  }
  const counts = new Map<string, number>();
  for (const driver of all.values()) counts.set(driver, (counts.get(driver) ?? 0) + 1);
  return [...drivers].some((driver) => {
    const limit = limits.get(driver);
    return limit !== undefined && (counts.get(driver) ?? 0) > limit;
  });
}

function limitsOf(csiNode: CSINode | undefined): ReadonlyMap<string, number> {
  return new Map(
    (csiNode?.spec.drivers ?? []).flatMap(({ name: driver, allocatable }) =>
      allocatable?.count === undefined ? [] : [[driver, allocatable.count] as const],
    ),
  );
}

function volumesOn({ claimUses }: NodeInfo, lookup: CsiLookup): readonly CsiVolume[] {
  return [...claimUses.keys()].flatMap((key) => {
    const slash = key.indexOf('/');
    return csiVolume(key.slice(0, slash), key.slice(slash + 1), lookup) ?? [];
  });
}

function attachedVolume({ spec }: Live<VolumeAttachment>, lookup: CsiLookup): CsiVolume | undefined {
  const { persistentVolumeName } = spec.source;
  const csi = persistentVolumeName ? lookup.volume(persistentVolumeName)?.spec.csi : undefined;
  return csi && { driver: csi.driver, id: `${csi.driver}/${csi.volumeHandle}` };
}

function csiNodeHint({ previous, next }: ClusterEvent): QueueingHint {
  const before = limitsOf(previous as CSINode | undefined);
  const after = limitsOf(next as CSINode | undefined);
  if (!previous) return 'Queue';
  const grew = [...before].some(([driver, limit]) => (after.get(driver) ?? Number.POSITIVE_INFINITY) > limit);
  return grew ? 'Queue' : 'QueueSkip';
}

/** A pod that goes matters when it had volumes. */
function podGoneHint({ previous }: ClusterEvent): QueueingHint {
  const spec = (previous as { readonly spec?: { readonly volumes?: readonly object[] } } | undefined)?.spec;
  return spec?.volumes?.some((volume) => 'persistentVolumeClaim' in volume || 'ephemeral' in volume)
    ? 'Queue'
    : 'QueueSkip';
}
