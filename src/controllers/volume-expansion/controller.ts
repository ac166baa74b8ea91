import { persistentvolumeclaims, type PersistentVolumeClaim } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import {
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { byKey, objectKey, startReconciler } from '../../reconcile/reconciler.ts';
import { wantsToGrow } from './plan.ts';

/** Hands claims that want to grow over to the resizer of their driver: no driver is built in. */
export const volumeExpansionController: Controller = {
  name: 'persistentvolume-expander-controller',
  aliases: ['persistentvolume-expander'],
  start,
};

const message =
  "Ignoring the PVC: didn't find a plugin capable of expanding the volume; waiting for an external controller to process this PVC.";

function start(context: ControllerContext): RunningController {
  const claimCache = context.informers.for(persistentvolumeclaims);
  const events = context.events.as('volume_expand');
  const reconciler = startReconciler(context, {
    name: volumeExpansionController.name,
    caches: [claimCache],
    reconcile,
  });
  const wake = (claim: Live<PersistentVolumeClaim>): void => {
    if (wantsToGrow(claim)) reconciler.add(objectKey(claim));
  };
  claimCache.addHandler({
    onAdd: wake,
    onUpdate(claim, previous) {
      if (requestOf(claim) !== requestOf(previous) || !wantsToGrow(previous)) wake(claim);
    },
  });
  return reconciler;

  function reconcile(key: string): Promise<Outcome> {
    const claim = byKey(claimCache, key);
    if (claim && wantsToGrow(claim)) events.record(claim, 'Normal', 'ExternalExpanding', message);
    return Promise.resolve(settled);
  }
}

function requestOf({ spec }: Live<PersistentVolumeClaim>): string | undefined {
  return spec.resources?.requests?.['storage'];
}
