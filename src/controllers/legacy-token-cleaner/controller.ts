import { configmaps, pods, secrets, serviceaccounts, type Secret } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import { unlessGone } from '../../machinery/unless-gone.ts';
import {
  recheck,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { startReconciler } from '../../reconcile/reconciler.ts';
import { accountNameOf } from '../service-account-token/plan.ts';
import { invalidSinceLabel, planToken } from './plan.ts';

/** Invalidates and then deletes generated token secrets that nobody has used for a year each. */
export const legacyTokenCleaner: Controller = {
  name: 'legacy-serviceaccount-token-cleaner-controller',
  aliases: ['legacy-service-account-token-cleaner'],
  start,
};

const periodMs = 24 * 3_600_000;
const tracking = { namespace: 'kube-system', name: 'kube-apiserver-legacy-service-account-token-tracking' };

function start(context: ControllerContext): RunningController {
  const { client, informers, clock } = context;
  const secretCache = informers.for(secrets);
  const accountCache = informers.for(serviceaccounts);
  const podCache = informers.for(pods);
  const secretClient = client.for(secrets);
  const reconciler = startReconciler(context, {
    name: legacyTokenCleaner.name,
    caches: [secretCache, accountCache, podCache],
    reconcile,
  });
  reconciler.addAfter('all', periodMs);
  return reconciler;

  async function reconcile(): Promise<Outcome> {
    const trackedSince = await sinceWhenTracked();
    if (trackedSince === undefined) return recheck(periodMs);
    for (const secret of secretCache.list()) {
      const account = accountNameOf(secret);
      if (account === undefined) continue;
      const { namespace } = secret.metadata;
      const plan = planToken({
        secret,
        account: accountCache.get(namespace, account),
        pods: podCache.list(namespace),
        trackedSince,
        now: clock.now(),
      });
      if (plan !== 'keep') await act(secret, plan);
    }
    return recheck(periodMs);
  }

  async function sinceWhenTracked(): Promise<string | undefined> {
    return (await unlessGone(client.for(configmaps).get(tracking)))?.data?.['since'];
  }

  async function act({ metadata }: Live<Secret>, plan: 'invalidate' | 'delete'): Promise<void> {
    const { namespace = '', name, resourceVersion } = metadata;
    try {
      if (plan === 'delete') {
        await secretClient.delete({ namespace, name }, { preconditions: { resourceVersion } });
        return;
      }
      const labels = { [invalidSinceLabel]: new Date(clock.now()).toISOString().slice(0, 10) };
      await secretClient.patch(
        { namespace, name },
        { metadata: { resourceVersion, labels } },
        { type: 'application/merge-patch+json' },
      );
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
  }
}
