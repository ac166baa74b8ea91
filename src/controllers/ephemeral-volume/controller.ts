import { persistentvolumeclaims, pods, type Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import {
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { controllerOf } from '../../reconcile/owner.ts';
import { byKey, objectKey, startReconciler } from '../../reconcile/reconciler.ts';
import { planEphemeralClaims } from './plan.ts';

/** Makes the claims of generic ephemeral volumes; their pods own them. */
export const ephemeralVolumeController: Controller = {
  name: 'ephemeral-volume-controller',
  aliases: ['ephemeral-volume'],
  start,
};

function start(context: ControllerContext): RunningController {
  const { client, informers } = context;
  const events = context.events.as('ephemeral_volume');
  const podCache = informers.for(pods);
  const claimCache = informers.for(persistentvolumeclaims);
  const claimClient = client.for(persistentvolumeclaims);
  const reconciler = startReconciler(context, {
    name: ephemeralVolumeController.name,
    caches: [podCache, claimCache],
    reconcile,
  });
  podCache.addHandler({
    onAdd(pod) {
      if (pod.spec.volumes?.some(({ ephemeral }) => ephemeral)) reconciler.add(objectKey(pod));
    },
  });
  claimCache.addHandler({
    onDelete(claim) {
      const owner = controllerOf(claim);
      if (owner?.kind === 'Pod') reconciler.add(`${claim.metadata.namespace}/${owner.name}`);
    },
  });
  return reconciler;

  async function reconcile(key: string): Promise<Outcome> {
    const pod = byKey(podCache, key);
    if (!pod) return settled;
    const plans = planEphemeralClaims(pod, (name) => claimCache.get(pod.metadata.namespace, name));
    for (const { volume, plan } of plans) {
      if (plan.do === 'refuse') {
        fail(pod, volume, plan.why);
        throw new Error(plan.why);
      }
      try {
        await claimClient.create(plan.claim);
      } catch (error) {
        fail(
          pod,
          volume,
          `create PVC ${plan.claim.metadata.name}: ${error instanceof Error ? error.message : ''}`,
        );
        throw error;
      }
    }
    return settled;
  }

  function fail(pod: Live<Pod>, volume: string, why: string): void {
    events.record(pod, 'Warning', 'FailedBinding', `ephemeral volume ${volume}: ${why}`);
  }
}
