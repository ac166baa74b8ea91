import { pods, type Pod } from '../../api/core/v1.gen.ts';
import {
  resourceclaims,
  resourceslices,
  type DeviceTaint,
  type ResourceClaim,
  type ResourceSlice,
} from '../../api/resource/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import {
  recheck,
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { byKey, objectKey, startReconciler } from '../../reconcile/reconciler.ts';
import { evictPod } from '../taint-eviction/evict-pod.ts';
import { evictionTime, type DeviceName } from './plan.ts';

/** Deletes pods whose claims hold devices with `NoExecute` taints that the claims do not, or no longer, tolerate. */
export const deviceTaintEvictionController: Controller = {
  name: 'device-taint-eviction-controller',
  aliases: [],
  start,
};

function start(context: ControllerContext): RunningController {
  const { client, informers, clock } = context;
  const { events } = context;
  const podCache = informers.for(pods);
  const claimCache = informers.for(resourceclaims);
  const sliceCache = informers.for(resourceslices);
  /** Claims whose pods wait to be evicted. */
  const waiting = new Set<string>();
  claimCache.addIndex('device', ({ status }) => (status?.allocation?.devices?.results ?? []).map(deviceKey));
  sliceCache.addIndex('pool', (slice) => [
    poolKey({ driver: slice.spec.driver, pool: slice.spec.pool.name }),
  ]);
  const reconciler = startReconciler(context, {
    name: deviceTaintEvictionController.name,
    caches: [podCache, claimCache, sliceCache],
    reconcile,
  });
  const wakeClaim = (claim: Live<ResourceClaim>): void => reconciler.add(objectKey(claim));
  const wakeSlice = ({ spec }: Live<ResourceSlice>): void => {
    for (const { name } of spec.devices ?? []) {
      const key = deviceKey({ driver: spec.driver, pool: spec.pool.name, device: name });
      for (const claim of claimCache.byIndex('device', key)) wakeClaim(claim);
    }
  };
  claimCache.addHandler({
    onAdd: wakeClaim,
    onUpdate: wakeClaim,
    onDelete: (claim) => void waiting.delete(objectKey(claim)),
  });
  sliceCache.addHandler({
    onAdd: wakeSlice,
    onUpdate(slice, previous) {
      wakeSlice(previous);
      wakeSlice(slice);
    },
    onDelete: wakeSlice,
  });
  return reconciler;

  async function reconcile(key: string): Promise<Outcome> {
    const claim = byKey(claimCache, key);
    if (!claim) return settled;
    const now = clock.now();
    const due = evictionTime(claim, taintsOf, now);
    const users = usersOf(claim);
    if (due === undefined) {
      if (waiting.delete(key)) for (const pod of users) tell(pod, 'Cancelling deletion');
      return settled;
    }
    if (due > now) {
      waiting.add(key);
      return recheck(due - now);
    }
    waiting.delete(key);
    for (const pod of users) {
      tell(pod, 'Marking for deletion');
      await evictPod(client, pod, {
        reason: 'DeletionByDeviceTaintManager',
        message: 'Device Taint manager: deleting due to NoExecute taint',
        now,
      });
    }
    return settled;
  }

  function usersOf({ metadata, status }: Live<ResourceClaim>): readonly Live<Pod>[] {
    return (status?.reservedFor ?? []).flatMap(({ resource, name, uid }) => {
      const pod = resource === 'pods' ? podCache.get(metadata.namespace, name) : undefined;
      const runs = pod?.metadata.uid === uid && pod.spec.nodeName && !pod.metadata.deletionTimestamp;
      return pod && runs ? [pod] : [];
    });
  }

  /** The taints of a device, as the newest generation of its pool has them. */
  function taintsOf(name: DeviceName): readonly DeviceTaint[] {
    const slices = sliceCache.byIndex('pool', poolKey(name));
    const newest = Math.max(...slices.map(({ spec }) => spec.pool.generation));
    return slices
      .filter(({ spec }) => spec.pool.generation === newest)
      .flatMap(({ spec }) => spec.devices?.find((device) => device.name === name.device)?.taints ?? []);
  }

  function tell(pod: Live<Pod>, message: string): void {
    events.record(pod, 'Normal', 'DeviceTaintManagerEviction', message);
  }
}

function deviceKey({ driver, pool, device }: DeviceName): string {
  return `${driver}/${pool}/${device}`;
}

function poolKey({ driver, pool }: Pick<DeviceName, 'driver' | 'pool'>): string {
  return `${driver}/${pool}`;
}
