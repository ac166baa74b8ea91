import {
  nodes,
  persistentvolumeclaims,
  persistentvolumes,
  pods,
  type AttachedVolume,
  type Node,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type Pod,
} from '../../api/core/v1.gen.ts';
import { csidrivers, volumeattachments, type VolumeAttachment } from '../../api/storage/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import {
  recheck,
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { deepEqual } from '../../reconcile/deep-equal.ts';
import { byKey, objectKey, startReconciler } from '../../reconcile/reconciler.ts';
import { claimsOf } from '../storage-protection/claim-protection.ts';
import { attachmentName, type CsiVolume } from '../../api/storage/csi-volume.ts';
import { needsVolumes, planNode } from './plan.ts';

/** Asks CSI drivers, by VolumeAttachments, for volumes on the nodes whose pods use them, and gives them back. */
export const attachDetachController: Controller = {
  name: 'persistentvolume-attach-detach-controller',
  aliases: ['attachdetach'],
  start,
};

interface Wanted {
  readonly volume: CsiVolume;
  readonly pods: readonly Live<Pod>[];
}

function start(context: ControllerContext): RunningController {
  const { client, informers, clock } = context;
  const events = context.events.as('attachdetach-controller');
  const podCache = informers.for(pods);
  const nodeCache = informers.for(nodes);
  const claimCache = informers.for(persistentvolumeclaims);
  const volumeCache = informers.for(persistentvolumes);
  const driverCache = informers.for(csidrivers);
  const attachmentCache = informers.for(volumeattachments);
  const attachmentClient = client.for(volumeattachments);
  const nodeClient = client.for(nodes);
  /** Since when attachments are used by no pod. */
  const unusedSince = new Map<string, number>();
  podCache.addIndex('node with claims', (pod) =>
    pod.spec.nodeName && claimsOf(pod).length > 0 ? [pod.spec.nodeName] : [],
  );
  podCache.addIndex('claim', claimsOf);
  attachmentCache.addIndex('node', ({ spec }) => [spec.nodeName]);
  attachmentCache.addIndex('volume', ({ spec }) => {
    const name = spec.source.persistentVolumeName;
    return name === undefined ? [] : [name];
  });
  const reconciler = startReconciler(context, {
    name: attachDetachController.name,
    caches: [podCache, nodeCache, claimCache, volumeCache, driverCache, attachmentCache],
    reconcile,
  });
  const wakePod = (pod: Live<Pod>): void => {
    if (pod.spec.nodeName && pod.spec.volumes && claimsOf(pod).length > 0) reconciler.add(pod.spec.nodeName);
  };
  const wakeClaim = (key: string): void => {
    for (const pod of podCache.byIndex('claim', key)) wakePod(pod);
  };
  const wakeAttachment = ({ spec }: Live<VolumeAttachment>): void => reconciler.add(spec.nodeName);
  podCache.addHandler({ onAdd: wakePod, onUpdate: wakePod, onDelete: wakePod });
  const wakeVolume = ({ spec }: Live<PersistentVolume>): void => {
    if (spec.csi && spec.claimRef) wakeClaim(`${spec.claimRef.namespace}/${spec.claimRef.name}`);
  };
  volumeCache.addHandler({ onAdd: wakeVolume, onUpdate: wakeVolume, onDelete: wakeVolume });
  driverCache.addHandler({
    onAdd({ metadata }) {
      for (const volume of volumeCache.list())
        if (volume.spec.csi?.driver === metadata.name) wakeVolume(volume);
    },
  });
  claimCache.addHandler({
    onAdd: (claim) => wakeClaim(objectKey(claim)),
    onUpdate(claim, previous) {
      if (
        claim.spec.volumeName !== previous.spec.volumeName ||
        claim.status?.phase !== previous.status?.phase
      )
        wakeClaim(objectKey(claim));
    },
  });
  nodeCache.addHandler({
    onAdd: ({ metadata }) => reconciler.add(metadata.name),
    onUpdate(node, previous) {
      if (concernsVolumes(node, previous)) reconciler.add(node.metadata.name);
    },
    onDelete: ({ metadata }) => reconciler.add(metadata.name),
  });
  attachmentCache.addHandler({
    onAdd: wakeAttachment,
    onUpdate(attachment, previous) {
      wakeAttachment(attachment);
      tellResult(attachment, previous);
    },
    onDelete(attachment) {
      unusedSince.delete(attachment.metadata.name);
      wakeAttachment(attachment);
      for (const claim of claimKeysOf(attachment)) wakeClaim(claim);
    },
  });
  return reconciler;

  async function reconcile(nodeName: string): Promise<Outcome> {
    const node = nodeCache.get(undefined, nodeName);
    const wanted = wantedOn(nodeName);
    const attached = attachmentCache.byIndex('node', nodeName).flatMap((attachment) => {
      const volume = volumeOf(attachment);
      return volume && attachmentName(volume, nodeName) === attachment.metadata.name
        ? [{ attachment, volume }]
        : [];
    });
    if (wanted.length === 0 && attached.length === 0 && !node?.status?.volumesAttached) return settled;
    const used = new Set(wanted.map(({ volume }) => attachmentName(volume, nodeName)));
    const plan = planNode({
      nodeName,
      node,
      wanted: wanted.map(({ volume }) => volume),
      attached,
      nodesOf: (volume) =>
        attachmentCache
          .byIndex('volume', volume.name)
          .map(({ spec }) => spec.nodeName)
          .filter((other) => other !== nodeName),
      unusedMs: (name) => unusedMs(name, used),
    });
    if (node) await writeAttached(node, plan.volumesAttached);
    for (const attachment of plan.create) await create(attachment);
    for (const attachment of plan.remove) await remove(attachment);
    for (const volume of plan.blocked) tellBlocked(wanted, volume);
    return plan.recheckMs === undefined ? settled : recheck(plan.recheckMs);
  }

  function unusedMs(name: string, used: ReadonlySet<string>): number {
    if (used.has(name)) unusedSince.delete(name);
    else if (!unusedSince.has(name)) unusedSince.set(name, clock.monotonic());
    return clock.monotonic() - (unusedSince.get(name) ?? clock.monotonic());
  }

  function wantedOn(nodeName: string): readonly Wanted[] {
    const users = new Map<string, { readonly volume: CsiVolume; readonly pods: Live<Pod>[] }>();
    for (const pod of podCache.byIndex('node with claims', nodeName)) {
      if (!needsVolumes(pod)) continue;
      for (const key of claimsOf(pod)) {
        const claim = byKey(claimCache, key);
        const volume = claim && boundVolume(claim);
        if (!volume) continue;
        const held = users.get(volume.name) ?? { volume, pods: [] };
        held.pods.push(pod);
        users.set(volume.name, held);
      }
    }
    return [...users.values()];
  }

  function boundVolume({ metadata, spec, status }: Live<PersistentVolumeClaim>): CsiVolume | undefined {
    if (!spec.volumeName || status?.phase !== 'Bound') return undefined;
    const volume = volumeCache.get(undefined, spec.volumeName);
    return volume?.spec.claimRef?.uid === metadata.uid ? csiVolume(volume) : undefined;
  }

  function volumeOf({ spec }: Live<VolumeAttachment>): CsiVolume | undefined {
    const name = spec.source.persistentVolumeName;
    const volume = name === undefined ? undefined : volumeCache.get(undefined, name);
    return volume && csiVolume(volume);
  }

  /** Undefined for volumes that need no attaching: those of no driver, and those whose driver says so. */
  function csiVolume({ metadata, spec }: Live<PersistentVolume>): CsiVolume | undefined {
    if (!spec.csi) return undefined;
    const { driver, volumeHandle } = spec.csi;
    if (driverCache.get(undefined, driver)?.spec.attachRequired === false) return undefined;
    const modes = spec.accessModes ?? [];
    const exclusive = !modes.includes('ReadWriteMany') && !modes.includes('ReadOnlyMany');
    return { name: metadata.name, driver, handle: volumeHandle, exclusive };
  }

  async function writeAttached(node: Live<Node>, volumesAttached: readonly AttachedVolume[]): Promise<void> {
    if (deepEqual(node.status?.volumesAttached ?? [], volumesAttached)) return;
    await nodeClient.patch(
      { name: node.metadata.name },
      { status: { volumesAttached: volumesAttached.length > 0 ? volumesAttached : null } },
      { type: 'application/merge-patch+json', subresource: 'status' },
    );
  }

  async function create(attachment: VolumeAttachment): Promise<void> {
    try {
      await attachmentClient.create(attachment);
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) throw error;
    }
  }

  async function remove({ metadata: { name, uid } }: Live<VolumeAttachment>): Promise<void> {
    try {
      await attachmentClient.delete({ name }, { preconditions: { uid } });
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }

  function claimKeysOf({ spec }: Live<VolumeAttachment>): readonly string[] {
    const name = spec.source.persistentVolumeName;
    const reference = name === undefined ? undefined : volumeCache.get(undefined, name)?.spec.claimRef;
    return reference ? [`${reference.namespace}/${reference.name}`] : [];
  }

  function usersOf(attachment: Live<VolumeAttachment>): readonly Live<Pod>[] {
    return claimKeysOf(attachment)
      .flatMap((key) => podCache.byIndex('claim', key))
      .filter(({ spec }) => spec.nodeName === attachment.spec.nodeName);
  }

  function tellResult(attachment: Live<VolumeAttachment>, previous: Live<VolumeAttachment>): void {
    const name = attachment.spec.source.persistentVolumeName ?? '';
    if (attachment.status?.attached && !previous.status?.attached) {
      const message = `AttachVolume.Attach succeeded for volume "${name}" `;
      for (const pod of usersOf(attachment)) events.record(pod, 'Normal', 'SuccessfulAttachVolume', message);
    }
    const problem = attachment.status?.attachError;
    if (problem && !deepEqual(problem, previous.status?.attachError)) {
      const message = `AttachVolume.Attach failed for volume "${name}" : ${problem.message ?? ''}`;
      for (const pod of usersOf(attachment)) events.record(pod, 'Warning', 'FailedAttachVolume', message);
    }
  }

  function tellBlocked(wanted: readonly Wanted[], volume: CsiVolume): void {
    const message = `Multi-Attach error for volume "${volume.name}" Volume is already exclusively attached to one node and can't be attached to another`;
    for (const pod of wanted.find((one) => one.volume === volume)?.pods ?? [])
      events.record(pod, 'Warning', 'FailedAttachVolume', message);
  }
}

function concernsVolumes(node: Live<Node>, previous: Live<Node>): boolean {
  const relevant = ({ spec, status }: Live<Node>): unknown => [
    status?.volumesInUse,
    status?.volumesAttached,
    spec.taints,
    status?.conditions?.find(({ type }) => type === 'Ready')?.status,
  ];
  return !deepEqual(relevant(node), relevant(previous));
}
