import { isDeepStrictEqual } from 'node:util';
import { services, type Service } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import {
  settled,
  stalled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { byKey, objectKey, startReconciler } from '../../reconcile/reconciler.ts';
import { balancerAddresses, planIngress, wantsLoadBalancer, type BalancerRange } from './plan.ts';

/** Gives services of type LoadBalancer an address of `range`, at which the network answers. */
export function serviceLoadBalancerController(range: BalancerRange): Controller {
  return {
    name: 'service-lb-controller',
    aliases: ['service'],
    start: (context) => start(context, range),
  };
}

function start(context: ControllerContext, range: BalancerRange): RunningController {
  const { client, informers, events } = context;
  const cache = informers.for(services);
  const resource = client.for(services);
  /** What was given out and may not be in the cache yet. */
  const given = new Map<string, readonly string[]>();

  const reconciler = startReconciler(context, {
    name: 'service-lb-controller',
    caches: [cache],
    concurrency: 1,
    reconcile,
  });
  cache.addHandler({
    onAdd: wake,
    onUpdate: wake,
    onDelete(service) {
      given.delete(objectKey(service));
      for (const other of cache.list())
        if (wantsLoadBalancer(other) && balancerAddresses(other).length === 0) wake(other);
    },
  });
  return reconciler;

  function wake(service: Live<Service>): void {
    if (wantsLoadBalancer(service) || given.has(objectKey(service)) || hasOurAddress(service))
      reconciler.add(objectKey(service));
  }

  /** Another implementation's address of a service with a class is its own business. */
  function hasOurAddress(service: Service): boolean {
    return service.spec?.loadBalancerClass === undefined && balancerAddresses(service).length > 0;
  }

  async function reconcile(key: string): Promise<Outcome> {
    const service = byKey(cache, key);
    if (!service) return settled;
    const ingress = planIngress(service, range, takenByOthers(key));
    if (!ingress) {
      const message = 'Error syncing load balancer: no address is free';
      events.record(service, 'Warning', 'SyncLoadBalancerFailed', message);
      return stalled(message);
    }
    const ips = ingress.flatMap(({ ip }) => (ip === undefined ? [] : [ip]));
    if (ips.length === 0) given.delete(key);
    else given.set(key, ips);
    const loadBalancer = ingress.length > 0 ? { ingress } : {};
    if (isDeepStrictEqual(service.status?.loadBalancer ?? {}, loadBalancer)) return settled;
    if (ips.length > 0) events.record(service, 'Normal', 'EnsuringLoadBalancer', 'Ensuring load balancer');
    await resource.updateStatus({ ...service, status: { ...service.status, loadBalancer } });
    if (ips.length > 0) events.record(service, 'Normal', 'EnsuredLoadBalancer', 'Ensured load balancer');
    return settled;
  }

  function takenByOthers(key: string): ReadonlySet<string> {
    const taken = new Set<string>();
    for (const other of cache.list())
      if (objectKey(other) !== key) for (const ip of balancerAddresses(other)) taken.add(ip);
    for (const [other, ips] of given) if (other !== key) for (const ip of ips) taken.add(ip);
    return taken;
  }
}
