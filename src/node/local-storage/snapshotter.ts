import { persistentvolumes } from '../../api/core/v1.gen.ts';
import { volumesnapshotcontents, type VolumeSnapshotContent } from '../../api/snapshot/v1.ts';
import { timestamp } from '../../base/clock.ts';
import type { Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import { parseQuantity, quantityValue } from '../../machinery/quantity.ts';
import {
  settled,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { startReconciler } from '../../reconcile/reconciler.ts';
import { VolumeError } from '../volumes/volume-error.ts';
import { isLocalVolume, LOCAL_DRIVER } from './local-driver.ts';
import type { LocalStorageOptions } from './provisioner.ts';

type Content = Live<VolumeSnapshotContent>;

const PROTECTION = 'snapshot.storage.kubernetes.io/volumesnapshotcontent-bound-protection';
const BEING_DELETED = 'snapshot.storage.kubernetes.io/volumesnapshot-being-deleted';

/** Makes and removes the snapshots of local volumes that contents ask for, as the csi-snapshotter of a driver does. */
export function startSnapshotter(
  context: ControllerContext,
  { volumes, machine }: LocalStorageOptions,
): RunningController {
  const { client, clock, informers } = context;
  const events = context.events.as(`csi-snapshotter ${LOCAL_DRIVER}`);
  const contentCache = informers.for(volumesnapshotcontents);
  const volumeCache = informers.for(persistentvolumes);
  const contents = client.for(volumesnapshotcontents);
  const reconciler = startReconciler(context, {
    name: 'local-volume-snapshotter',
    caches: [contentCache, volumeCache],
    backoff: { baseMs: 200, maxMs: 60_000 },
    reconcile,
  });
  const wake = (content: Content): void => {
    if (content.spec.driver === LOCAL_DRIVER) reconciler.add(content.metadata.name);
  };
  contentCache.addHandler({ onAdd: wake, onUpdate: wake });
  return reconciler;

  async function reconcile(name: string): Promise<Outcome> {
    const content = contentCache.get(undefined, name);
    if (!content) return settled;
    if (content.metadata.deletionTimestamp !== undefined) await remove(content);
    else if (content.status?.readyToUse !== true) await make(content);
    return settled;
  }

  async function make(content: Content): Promise<void> {
    try {
      const status = await take(content);
      if (status) await contents.updateStatus({ ...content, status });
    } catch (error) {
      if (!(error instanceof VolumeError)) throw error;
      const message = `Failed to check and update snapshot content: failed to take snapshot of the volume ${content.spec.source.volumeHandle ?? ''}: ${error.message}`;
      events.record(content, 'Warning', 'SnapshotCreationFailed', message);
      if (content.status?.error?.message !== message)
        await contents.updateStatus({
          ...content,
          status: { ...content.status, readyToUse: false, error: { time: timestamp(clock.now()), message } },
        });
      throw error;
    }
  }

  /** The status of a content whose data is there; undefined where another machine keeps it. */
  async function take(content: Content): Promise<VolumeSnapshotContent['status']> {
    const { volumeHandle, snapshotHandle } = content.spec.source;
    if (snapshotHandle !== undefined) {
      const size = await volumes.snapshotSize(snapshotHandle);
      return size === undefined ? undefined : ready(snapshotHandle, size);
    }
    const volume = volumeCache.get(undefined, volumeHandle ?? '');
    if (!volume) throw new VolumeError(`there is no volume ${volumeHandle}`);
    if (!isLocalVolume(volume, machine)) return undefined;
    const handle = `snapshot-${content.metadata.uid}`;
    const size = Number(quantityValue(parseQuantity(volume.spec.capacity?.['storage'] ?? '0')));
    await volumes.snapshot(handle, { of: volumeHandle ?? '', sizeBytes: size });
    return ready(handle, size);
  }

  function ready(snapshotHandle: string, restoreSize: number): NonNullable<VolumeSnapshotContent['status']> {
    return { snapshotHandle, restoreSize, readyToUse: true, creationTime: BigInt(clock.now()) * 1_000_000n };
  }

  async function remove(content: Content): Promise<void> {
    const { name, resourceVersion, finalizers = [], annotations = {} } = content.metadata;
    if (!finalizers.includes(PROTECTION)) return;
    const handle = content.status?.snapshotHandle ?? content.spec.source.snapshotHandle;
    const isWanted = content.spec.deletionPolicy === 'Delete' && annotations[BEING_DELETED] === 'yes';
    if (isWanted && handle !== undefined) await volumes.removeSnapshot(handle);
    try {
      await contents.patch(
        { name },
        { metadata: { resourceVersion, finalizers: finalizers.filter((one) => one !== PROTECTION) } },
        { type: 'application/merge-patch+json' },
      );
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }
}
