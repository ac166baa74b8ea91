import { namespaces, serviceaccounts } from '../../api/core/v1.gen.ts';
import { isStatus } from '../../machinery/status-error.ts';
import {
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { startReconciler } from '../../reconcile/reconciler.ts';

/** Keeps a service account `default` in every namespace. */
export const serviceAccountController: Controller = {
  name: 'serviceaccount-controller',
  aliases: ['serviceaccount'],
  start,
};

const defaultName = 'default';

function start(context: ControllerContext): RunningController {
  const { client, informers } = context;
  const namespaceCache = informers.for(namespaces);
  const accountCache = informers.for(serviceaccounts);
  const accounts = client.for(serviceaccounts);
  const reconciler = startReconciler(context, {
    name: serviceAccountController.name,
    caches: [namespaceCache, accountCache],
    reconcile,
  });
  namespaceCache.addHandler({
    onAdd: (namespace) => reconciler.add(namespace.metadata.name),
    onUpdate: (namespace) => reconciler.add(namespace.metadata.name),
  });
  accountCache.addHandler({
    onDelete({ metadata }) {
      if (metadata.name === defaultName) reconciler.add(metadata.namespace ?? '');
    },
  });
  return reconciler;

  async function reconcile(namespace: string): Promise<Outcome> {
    if (namespaceCache.get(undefined, namespace)?.status?.phase === 'Terminating') return settled;
    if (!namespaceCache.get(undefined, namespace) || accountCache.get(namespace, defaultName)) return settled;
    try {
      await accounts.create({
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { name: defaultName, namespace },
      });
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) throw error;
    }
    return settled;
  }
}
