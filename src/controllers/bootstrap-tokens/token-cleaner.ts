import { secrets, type Secret } from '../../api/core/v1.gen.ts';
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
import { byKey, objectKey, startReconciler } from '../../reconcile/reconciler.ts';
import { msLeft, tokenNamespace, tokenType } from './token-secret.ts';

/** Deletes bootstrap tokens when their time is over. */
export const tokenCleanerController: Controller = {
  name: 'token-cleaner-controller',
  aliases: ['tokencleaner'],
  start,
};

function start(context: ControllerContext): RunningController {
  const { client, informers, clock } = context;
  const cache = informers.for(secrets);
  const reconciler = startReconciler(context, {
    name: tokenCleanerController.name,
    caches: [cache],
    reconcile,
  });
  const wake = (secret: Live<Secret>): void => {
    if (secret.type === tokenType && secret.metadata.namespace === tokenNamespace)
      reconciler.add(objectKey(secret));
  };
  cache.addHandler({ onAdd: wake, onUpdate: wake });
  return reconciler;

  async function reconcile(key: string): Promise<Outcome> {
    const secret = byKey(cache, key);
    const left = secret && msLeft(secret, clock.now());
    if (!secret || left === undefined) return settled;
    if (left > 0) return recheck(left);
    const { namespace = '', name, uid } = secret.metadata;
    try {
      await client.for(secrets).delete({ namespace, name }, { preconditions: { uid } });
    } catch (error) {
      if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error;
    }
    return settled;
  }
}
