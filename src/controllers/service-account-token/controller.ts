import { secrets, serviceaccounts, type Secret } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import { unlessGone } from '../../machinery/unless-gone.ts';
import {
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { byKey, objectKey, parseKey, startReconciler } from '../../reconcile/reconciler.ts';
import { accountNameOf, belongsTo, filledSecret, type TokenPlanOptions } from './plan.ts';

const name = 'serviceaccount-token-controller';
const index = 'service-account';

/**
 * Fills secrets of type `kubernetes.io/service-account-token` with a token that has no end, and deletes them with their account
 * (upstream's tokens controller).
 */
export function serviceAccountTokenController(options: TokenPlanOptions): Controller {
  return { name, aliases: ['serviceaccount-token'], start: (context) => start(context, options) };
}

function start(context: ControllerContext, options: TokenPlanOptions): RunningController {
  const { client, informers } = context;
  const secretCache = informers.for(secrets);
  const accountCache = informers.for(serviceaccounts);
  const secretClient = client.for(secrets);
  const accountClient = client.for(serviceaccounts);
  secretCache.addIndex(index, (secret) => {
    const account = accountNameOf(secret);
    return account === undefined ? [] : [`${secret.metadata.namespace}/${account}`];
  });
  const reconciler = startReconciler(context, { name, caches: [secretCache, accountCache], reconcile });
  const wake = (secret: Live<Secret>): void => {
    if (accountNameOf(secret) !== undefined) reconciler.add(objectKey(secret));
  };
  const wakeSecretsOf = (key: string): void => {
    for (const secret of secretCache.byIndex(index, key)) reconciler.add(objectKey(secret));
  };
  secretCache.addHandler({
    onAdd: wake,
    onUpdate: wake,
    onDelete: wake,
  });
  accountCache.addHandler({
    onAdd: (account) => wakeSecretsOf(objectKey(account)),
    onUpdate: (account) => wakeSecretsOf(objectKey(account)),
    onDelete: (account) => wakeSecretsOf(objectKey(account)),
  });
  return reconciler;

  async function reconcile(key: string): Promise<Outcome> {
    const secret = byKey(secretCache, key);
    if (!secret) {
      await forget(key);
      return settled;
    }
    const accountName = accountNameOf(secret);
    if (accountName === undefined) return settled;
    const { namespace = '' } = secret.metadata;
    const account = accountCache.get(namespace, accountName) ?? (await readAccount(namespace, accountName));
    if (!account || !belongsTo(secret, account)) {
      await remove(secret);
      return settled;
    }
    const filled = filledSecret(secret, account, options);
    if (!filled) return settled;
    try {
      await secretClient.update(filled);
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
    return settled;
  }

  /** The cache may not have seen an account that was made just before its secret. */
  async function readAccount(
    namespace: string,
    accountName: string,
  ): Promise<ReturnType<typeof accountCache.get>> {
    return await unlessGone(accountClient.get({ namespace, name: accountName }));
  }

  async function remove({ metadata }: Live<Secret>): Promise<void> {
    const { namespace = '', name: secretName, uid } = metadata;
    try {
      await secretClient.delete({ namespace, name: secretName }, { preconditions: { uid } });
    } catch (error) {
      if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error;
    }
  }

  /** Takes a deleted secret out of the lists of accounts. */
  async function forget(key: string): Promise<void> {
    const { namespace = '', name: secretName } = parseKey(key);
    for (const account of accountCache.list(namespace)) {
      const { secrets: listed = [], ...rest } = account;
      const left = listed.filter((reference) => reference.name !== secretName);
      if (left.length === listed.length) continue;
      await accountClient.update({ ...rest, ...(left.length > 0 ? { secrets: left } : {}) });
    }
  }
}
