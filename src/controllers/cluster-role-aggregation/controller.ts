import { clusterroles, type ClusterRole } from '../../api/rbac/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import {
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { deepEqual } from '../../reconcile/deep-equal.ts';
import { startReconciler } from '../../reconcile/reconciler.ts';
import { aggregatedRules } from './plan.ts';

/** Keeps the rules of cluster roles with an aggregation rule equal to those of the roles that it selects. */
export const clusterRoleAggregationController: Controller = {
  name: 'clusterrole-aggregation-controller',
  aliases: ['clusterrole-aggregation'],
  start,
};

function start(context: ControllerContext): RunningController {
  const { client, informers } = context;
  const cache = informers.for(clusterroles);
  const reconciler = startReconciler(context, {
    name: clusterRoleAggregationController.name,
    caches: [cache],
    reconcile,
  });
  const wake = (): void => {
    if (!cache.hasSynced) return;
    for (const role of cache.list()) if (role.aggregationRule) reconciler.add(role.metadata.name);
  };
  cache.addHandler({
    onAdd(role: Live<ClusterRole>) {
      if (role.aggregationRule) reconciler.add(role.metadata.name);
      wake();
    },
    onUpdate: wake,
    onDelete: wake,
  });
  return reconciler;

  async function reconcile(name: string): Promise<Outcome> {
    const role = cache.get(undefined, name);
    if (!role?.aggregationRule) return settled;
    const rules = aggregatedRules(role, cache.list());
    if (deepEqual(rules, role.rules ?? [])) return settled;
    try {
      await client.transport.request({
        verb: 'patch',
        group: clusterroles.group,
        version: clusterroles.version,
        resource: clusterroles.resource,
        name,
        patchType: 'application/apply-patch+yaml',
        params: { fieldManager: clusterRoleAggregationController.name, force: 'true' },
        body: { apiVersion: role.apiVersion, kind: role.kind, metadata: { name }, rules },
      });
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error;
    }
    return settled;
  }
}
