import { leases, type Lease } from '../../api/coordination/v1.gen.ts';
import { isStatus } from '../../machinery/status-error.ts';
import {
  recheck,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { startReconciler } from '../../reconcile/reconciler.ts';

/** Deletes the leases by which API servers made themselves known that are gone (upstream runs it in the API server). */
export const apiServerLeaseCollector: Controller = {
  name: 'apiserver-lease-garbage-collector-controller',
  aliases: ['lease-gc'],
  start,
};

const periodMs = 3_600_000;
const options = {
  namespace: 'kube-system',
  labelSelector: 'apiserver.kubernetes.io/identity=kube-apiserver',
};

function start(context: ControllerContext): RunningController {
  const { client, clock } = context;
  const leaseClient = client.for(leases);
  const reconciler = startReconciler(context, {
    name: apiServerLeaseCollector.name,
    caches: [],
    reconcile,
  });
  reconciler.addAfter('all', periodMs);
  return reconciler;

  async function reconcile(): Promise<Outcome> {
    const { items } = await leaseClient.list(options);
    for (const lease of items) {
      if (!isExpired(lease, clock.now())) continue;
      const { namespace = '', name, resourceVersion } = lease.metadata;
      try {
        await leaseClient.delete({ namespace, name }, { preconditions: { resourceVersion } });
      } catch (error) {
        if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error;
      }
    }
    return recheck(periodMs);
  }
}

/** Whether a lease was not renewed in time; one that was never renewed has no holder. */
export function isExpired({ spec }: Lease, now: number): boolean {
  if (spec?.renewTime === undefined || spec.leaseDurationSeconds === undefined) return true;
  return Date.parse(spec.renewTime) + spec.leaseDurationSeconds * 1000 < now;
}
