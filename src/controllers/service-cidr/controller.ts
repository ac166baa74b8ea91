import { ipaddresses, servicecidrs, type ServiceCIDR } from '../../api/networking/v1.gen.ts';
import { isStrictSubset, parseCidr } from '../../api/validation/cidr.ts';
import { timestamp } from '../../base/clock.ts';
import type { Condition } from '../../machinery/meta/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import {
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { withCondition } from '../../reconcile/conditions.ts';
import { startReconciler } from '../../reconcile/reconciler.ts';

const finalizer = 'networking.k8s.io/service-cidr-finalizer';

/** Makes service ranges ready, and holds deleted ones until no address needs them. */
export const serviceCidrController: Controller = {
  name: 'service-cidr-controller',
  aliases: [],
  start,
};

/** What is to be done with one range. */
export type RangePlan =
  | { readonly action: 'none' }
  | { readonly action: 'finalizers'; readonly finalizers: readonly string[] }
  | { readonly action: 'condition'; readonly condition: Omit<Condition, 'lastTransitionTime'> };

/** Decides about a range; `addresses` are those in use, `others` all further ranges that are not being deleted. */
export function planRange(
  range: Live<ServiceCIDR>,
  addresses: readonly string[],
  others: readonly string[],
): RangePlan {
  const { finalizers = [], deletionTimestamp } = range.metadata;
  const held = finalizers.includes(finalizer);
  if (deletionTimestamp === undefined) {
    if (!held) return { action: 'finalizers', finalizers: [...finalizers, finalizer] };
    return condition(range, {
      type: 'Ready',
      status: 'True',
      reason: '',
      message: 'Kubernetes Service CIDR is ready',
    });
  }
  if (!held) return { action: 'none' };
  const own = range.spec?.cidrs ?? [];
  const orphans = addresses.some((address) => within(address, own) && !within(address, others));
  if (!orphans) return { action: 'finalizers', finalizers: finalizers.filter((name) => name !== finalizer) };
  return condition(range, {
    type: 'Ready',
    status: 'False',
    reason: 'Terminating',
    message:
      'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR',
  });
}

function condition(range: ServiceCIDR, wanted: Omit<Condition, 'lastTransitionTime'>): RangePlan {
  const current = range.status?.conditions?.find(({ type }) => type === 'Ready');
  return current?.status === wanted.status ? { action: 'none' } : { action: 'condition', condition: wanted };
}

function within(address: string, ranges: readonly string[]): boolean {
  const single = parseCidr(`${address}/${address.includes(':') ? 128 : 32}`);
  return ranges.some((text) => {
    const range = parseCidr(text);
    return single !== undefined && range !== undefined && isStrictSubset(single, range);
  });
}

function start(context: ControllerContext): RunningController {
  const { client, informers, clock } = context;
  const ranges = informers.for(servicecidrs);
  const addresses = informers.for(ipaddresses);
  const writer = client.for(servicecidrs);
  const reconciler = startReconciler(context, {
    name: serviceCidrController.name,
    caches: [ranges, addresses],
    reconcile,
  });
  const wake = ({ metadata }: Live<ServiceCIDR>): void => reconciler.add(metadata.name);
  const wakeDeleted = (): void => {
    for (const range of ranges.list()) if (range.metadata.deletionTimestamp) wake(range);
  };
  ranges.addHandler({
    onAdd(range) {
      wake(range);
      wakeDeleted();
    },
    onUpdate: wake,
  });
  addresses.addHandler({ onDelete: wakeDeleted });
  return reconciler;

  async function reconcile(name: string): Promise<Outcome> {
    const range = ranges.get(undefined, name);
    if (!range) return settled;
    const others = ranges
      .list()
      .filter(({ metadata }) => metadata.name !== name && metadata.deletionTimestamp === undefined);
    const plan = planRange(
      range,
      addresses.list().map(({ metadata }) => metadata.name),
      others.flatMap(({ spec }) => spec?.cidrs ?? []),
    );
    if (plan.action === 'finalizers') {
      const metadata = { resourceVersion: range.metadata.resourceVersion, finalizers: plan.finalizers };
      await writer.patch({ name }, { metadata }, { type: 'application/merge-patch+json' });
    } else if (plan.action === 'condition') {
      const lastTransitionTime = timestamp(clock.now());
      const conditions = withCondition(range.status?.conditions ?? [], {
        ...plan.condition,
        lastTransitionTime,
      });
      await writer.updateStatus({ ...range, status: { ...range.status, conditions } });
    }
    return settled;
  }
}
