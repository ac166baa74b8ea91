import {
  persistentvolumeclaims,
  persistentvolumes,
  type PersistentVolume,
  type PersistentVolumeClaim,
  type PersistentVolumeClaimStatus,
} from '../../api/core/v1.gen.ts';
import { timestamp } from '../../base/clock.ts';
import type { Live } from '../../machinery/object.ts';
import { compareQuantities, parseQuantity, quantityValue } from '../../machinery/quantity.ts';
import {
  recheck,
  settled,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { byKey, objectKey, startReconciler } from '../../reconcile/reconciler.ts';
import { isLocalVolume, LOCAL_DRIVER } from './local-driver.ts';
import type { GrowthState } from './disk-files.ts';
import type { LocalStorageOptions } from './provisioner.ts';

type Claim = Live<PersistentVolumeClaim>;

/** Makes volumes of the local driver larger when their claims ask for it, also in use, as an external resizer does. */
export function startExpander(
  context: ControllerContext,
  { volumes, machine }: LocalStorageOptions,
): RunningController {
  const { client, clock, informers } = context;
  const events = context.events.as(LOCAL_DRIVER);
  const claimCache = informers.for(persistentvolumeclaims);
  const volumeCache = informers.for(persistentvolumes);
  const claims = client.for(persistentvolumeclaims);
  const reconciler = startReconciler(context, {
    name: 'local-volume-expander',
    caches: [claimCache, volumeCache],
    backoff: { baseMs: 200, maxMs: 60_000 },
    reconcile,
  });
  const wake = (claim: Claim): void => {
    if (wantedSize(claim) !== undefined) reconciler.add(objectKey(claim));
  };
  claimCache.addHandler({ onAdd: wake, onUpdate: wake });
  return reconciler;

  async function reconcile(key: string): Promise<Outcome> {
    const claim = byKey(claimCache, key);
    const wanted = claim && wantedSize(claim);
    const volume = claim && volumeCache.get(undefined, claim.spec.volumeName ?? '');
    if (!claim || wanted === undefined || !volume || !isLocalVolume(volume, machine)) return settled;
    const { name } = volume.metadata;
    const begun = claim.status?.allocatedResources?.['storage'] === wanted && isPending(claim);
    const marked = begun
      ? claim
      : await claims.updateStatus({ ...claim, status: resizing(claim, wanted, timestamp(clock.now())) });
    if (!begun) tell(claim, 'Resizing', `External resizer is resizing volume ${name}`);
    const state = await expand(claim, volume, wanted);
    if (isLess(volume.spec.capacity?.['storage'] ?? '0', wanted))
      await client
        .for(persistentvolumes)
        .patch(
          { name },
          { spec: { capacity: { storage: wanted } } },
          { type: 'application/merge-patch+json' },
        );
    if (state === 'grown') {
      await claims.updateStatus({ ...marked, status: resized(marked, wanted) });
      if (begun)
        tell(
          claim,
          'FileSystemResizeSuccessful',
          `MountVolume.NodeExpandVolume succeeded for volume "${name}"`,
        );
      else tell(claim, 'VolumeResizeSuccessful', 'Resize volume succeeded');
      return settled;
    }
    if (!begun) {
      await claims.updateStatus({ ...marked, status: waiting(marked, timestamp(clock.now())) });
      tell(claim, 'FileSystemResizeRequired', 'Require file system resize of volume on node');
    }
    return recheck(PENDING_MS);
  }

  async function expand(claim: Claim, volume: Live<PersistentVolume>, wanted: string): Promise<GrowthState> {
    try {
      return await volumes.expand(
        volume.spec.csi?.volumeHandle ?? '',
        Number(quantityValue(parseQuantity(wanted))),
      );
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const message = `resize volume "${volume.metadata.name}" by resizer "${LOCAL_DRIVER}" failed: ${why}`;
      events.record(claim, 'Warning', 'VolumeResizeFailed', message);
      throw error;
    }
  }

  function tell(claim: Claim, reason: string, message: string): void {
    events.record(claim, 'Normal', reason, message);
  }
}

/** How often a disk is looked at that can only grow when nobody uses it. */
const PENDING_MS = 3000;

/** The size that a bound claim asks for, when that is more than it has. */
export function wantedSize({ spec, status }: PersistentVolumeClaim): string | undefined {
  const requested = spec.resources?.requests?.['storage'];
  const held = status?.capacity?.['storage'];
  if (status?.phase !== 'Bound' || requested === undefined || held === undefined) return undefined;
  return isLess(held, requested) ? requested : undefined;
}

function isLess(a: string, b: string): boolean {
  return compareQuantities(parseQuantity(a), parseQuantity(b)) < 0;
}

function resizing({ status = {} }: Claim, wanted: string, now: string): PersistentVolumeClaimStatus {
  const others = (status.conditions ?? []).filter(({ type }) => type !== 'Resizing');
  return {
    ...status,
    allocatedResources: { ...status.allocatedResources, storage: wanted },
    allocatedResourceStatuses: { ...status.allocatedResourceStatuses, storage: 'ControllerResizeInProgress' },
    conditions: [...others, { type: 'Resizing', status: 'True', lastTransitionTime: now }],
  };
}

function isPending({ status }: Claim): boolean {
  return status?.conditions?.some(({ type }) => type === 'FileSystemResizePending') === true;
}

function waiting({ status = {} }: Claim, now: string): PersistentVolumeClaimStatus {
  const message = 'Waiting for user to (re-)start a pod to finish file system resize of volume on node.';
  return {
    ...status,
    allocatedResourceStatuses: { ...status.allocatedResourceStatuses, storage: 'NodeResizePending' },
    conditions: [
      ...(status.conditions ?? []).filter(({ type }) => type !== 'Resizing'),
      { type: 'FileSystemResizePending', status: 'True', lastTransitionTime: now, message },
    ],
  };
}

function resized({ status = {} }: Claim, wanted: string): PersistentVolumeClaimStatus {
  const { conditions = [], allocatedResourceStatuses: _done, ...kept } = status;
  const others = conditions.filter(({ type }) => type !== 'Resizing' && type !== 'FileSystemResizePending');
  return {
    ...kept,
    capacity: { ...status.capacity, storage: wanted },
    allocatedResources: { ...status.allocatedResources, storage: wanted },
    ...(others.length > 0 && { conditions: others }),
  };
}
