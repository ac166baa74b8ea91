import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { persistentvolumes, type PersistentVolume } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import {
  settled,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { objectKey, startReconciler } from '../../reconcile/reconciler.ts';
import { isLocalVolume, LOCAL_DRIVER } from './local-driver.ts';
import { DELETION_FINALIZER } from './plan-provision.ts';
import type { LocalStorageOptions } from './provisioner.ts';

type Volume = Live<PersistentVolume>;

/** What becomes of a volume that its claim has left. */
type Reclaim = 'keep' | 'delete' | 'scrub';

/** Deletes released volumes of the local driver with their data, and empties released hostPath volumes for others. */
export function startDeleter(
  context: ControllerContext,
  { volumes, machine }: LocalStorageOptions,
): RunningController {
  const { client, informers } = context;
  const events = context.events.as(LOCAL_DRIVER);
  const volumeCache = informers.for(persistentvolumes);
  const resource = client.for(persistentvolumes);
  const reconciler = startReconciler(context, {
    name: 'local-volume-deleter',
    caches: [volumeCache],
    backoff: { baseMs: 200, maxMs: 60_000 },
    reconcile,
  });
  const wake = (volume: Volume): void => {
    if (planReclaim(volume, machine) !== 'keep') reconciler.add(objectKey(volume));
  };
  volumeCache.addHandler({ onAdd: wake, onUpdate: wake });
  return reconciler;

  async function reconcile(name: string): Promise<Outcome> {
    const volume = volumeCache.get(undefined, name);
    const plan = volume ? planReclaim(volume, machine) : 'keep';
    if (!volume || plan === 'keep') return settled;
    try {
      if (plan === 'scrub') await scrub(volume);
      else await remove(volume);
    } catch (error) {
      if (isStatus(error, 'NotFound')) return settled;
      const reason = plan === 'scrub' ? 'VolumeFailedRecycle' : 'VolumeFailedDelete';
      events.record(volume, 'Warning', reason, error instanceof Error ? error.message : String(error));
      throw error;
    }
    return settled;
  }

  async function remove(volume: Volume): Promise<void> {
    const { name, uid, resourceVersion, finalizers = [], deletionTimestamp } = volume.metadata;
    await volumes.remove(volume.spec.csi?.volumeHandle ?? '');
    if (deletionTimestamp === undefined) await resource.delete({ name }, { preconditions: { uid } });
    if (!finalizers.includes(DELETION_FINALIZER)) return;
    const kept = finalizers.filter((finalizer) => finalizer !== DELETION_FINALIZER);
    // The deletion above is a newer version of the volume; nobody else takes this finalizer away.
    const guard = deletionTimestamp === undefined ? {} : { resourceVersion };
    await resource.patch(
      { name },
      { metadata: { ...guard, finalizers: kept } },
      { type: 'application/merge-patch+json' },
    );
  }

  async function scrub(volume: Volume): Promise<void> {
    const path = volume.spec.hostPath?.path ?? '';
    for (const entry of await readdir(path)) await rm(join(path, entry), { recursive: true, force: true });
    events.record(volume, 'Normal', 'VolumeRecycled', 'Volume recycled');
    const { claimRef: _released, ...spec } = volume.spec;
    await resource.update({ ...volume, spec });
  }
}

/** Decides about a volume: only what the binder has released is taken from anybody. */
export function planReclaim(volume: PersistentVolume, machine: string): Reclaim {
  const { spec, status, metadata } = volume;
  if (status?.phase !== 'Released' && status?.phase !== 'Failed') return 'keep';
  if (spec.persistentVolumeReclaimPolicy === 'Recycle')
    return spec.hostPath && metadata.deletionTimestamp === undefined ? 'scrub' : 'keep';
  const isOurs =
    metadata.annotations?.['pv.kubernetes.io/provisioned-by'] === LOCAL_DRIVER &&
    isLocalVolume(volume, machine);
  return isOurs && spec.persistentVolumeReclaimPolicy === 'Delete' ? 'delete' : 'keep';
}
