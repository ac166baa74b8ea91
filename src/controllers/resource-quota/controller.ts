import { evaluatorOf } from '../../api/core/quota/evaluator-of.ts';
import { resourcequotas, type ResourceQuota } from '../../api/core/v1.gen.ts';
import { discover } from '../../client/discovery.ts';
import { apiVersionOf, type KubeObject, type Live, type ResourceType } from '../../machinery/object.ts';
import { isStatus } from '../../machinery/status-error.ts';
import {
  recheck,
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { deepEqual } from '../../reconcile/deep-equal.ts';
import { byKey, objectKey, startReconciler } from '../../reconcile/reconciler.ts';
import { planUsage, type CountedObjects } from './plan.ts';

/** Keeps the usage that quotas state in step with what is there, above all when objects go. */
export const resourceQuotaController: Controller = {
  name: 'resourcequota-controller',
  aliases: ['resourcequota'],
  start,
};

const resyncMs = 5 * 60_000;
/** Admission has counted an object by itself; this is for what it counted and was not stored after all. */
const settleMs = 5_000;
const discoveryMs = 30_000;

function start(context: ControllerContext): RunningController {
  const { client, informers, clock, signal } = context;
  const quotaCache = informers.for(resourcequotas);
  const quotaClient = client.for(resourcequotas);
  const followed = new Set<string>();
  let known: readonly ResourceType<KubeObject>[] = [];
  let discoveredAt = Number.NEGATIVE_INFINITY;

  const reconciler = startReconciler(context, {
    name: resourceQuotaController.name,
    caches: [quotaCache],
    backoff: { baseMs: 20, maxMs: 60_000 },
    reconcile,
  });
  quotaCache.addHandler({
    onAdd: (quota) => reconciler.add(objectKey(quota)),
    onUpdate(quota, previous) {
      if (deepEqual(quota.spec, previous.spec) && deepEqual(quota.status?.hard, previous.status?.hard))
        reconciler.addAfter(objectKey(quota), settleMs);
      else reconciler.add(objectKey(quota));
    },
  });
  return reconciler;

  async function reconcile(key: string): Promise<Outcome> {
    const quota = byKey(quotaCache, key);
    if (!quota || quota.metadata.deletionTimestamp !== undefined) return settled;
    const counted = await observe(quota);
    const hard = quota.spec?.hard ?? {};
    const status = { hard, used: planUsage(quota, counted, clock.now()) };
    const written = deepEqual(status, quota.status) || (await report({ ...quota, status }));
    return recheck(written ? resyncMs : settleMs);
  }

  async function observe(quota: Live<ResourceQuota>): Promise<CountedObjects[]> {
    const names = Object.keys(quota.spec?.hard ?? {});
    const types = await typesFor(names);
    for (const type of types) follow(type);
    informers.start();
    const stopped = new Promise<void>((resolve) =>
      signal.addEventListener('abort', () => resolve(), { once: true }),
    );
    await Promise.race([Promise.all(types.map((type) => informers.for(type).synced())), stopped]);
    return types.map((type) => ({
      evaluator: evaluatorOf(type.group, type.resource),
      objects: informers.for(type).list(quota.metadata.namespace),
    }));
  }

  /** The resources that count for these names. The server is asked again for new kinds when a name has none. */
  async function typesFor(names: readonly string[]): Promise<ResourceType<KubeObject>[]> {
    const select = (): ResourceType<KubeObject>[] =>
      known.filter((type) => {
        const evaluator = evaluatorOf(type.group, type.resource);
        return names.some((name) => evaluator.counts(name));
      });
    const covered = (name: string): boolean =>
      known.some((type) => evaluatorOf(type.group, type.resource).counts(name));
    if (names.every(covered) || clock.monotonic() - discoveredAt < discoveryMs) return select();
    const served = await discover(client.transport, signal);
    discoveredAt = clock.monotonic();
    const byName = new Map<string, ResourceType<KubeObject>>();
    for (const { type, verbs } of served) {
      const key = `${type.resource}.${type.group}`;
      const countable = type.namespaced && verbs.includes('list') && verbs.includes('watch');
      if (countable && !byName.has(key)) byName.set(key, type);
    }
    known = [...byName.values()];
    return select();
  }

  function follow(type: ResourceType<KubeObject>): void {
    const name = `${type.resource}.${apiVersionOf(type)}`;
    if (followed.has(name)) return;
    followed.add(name);
    const evaluator = evaluatorOf(type.group, type.resource);
    informers.for(type).addHandler({
      onAdd: (object, { initial }) => {
        if (!initial) wake(object, settleMs);
      },
      onUpdate(object, previous) {
        const now = clock.now();
        if (!deepEqual(evaluator.usage(object, now), evaluator.usage(previous, now))) wake(object, 0);
      },
      onDelete: (object) => wake(object, 0),
    });
  }

  function wake({ metadata }: Live<KubeObject>, ms: number): void {
    for (const quota of quotaCache.list(metadata.namespace)) reconciler.addAfter(objectKey(quota), ms);
  }

  /** Whether the status was written; admission may have been faster. */
  async function report(quota: Live<ResourceQuota>): Promise<boolean> {
    try {
      await quotaClient.updateStatus(quota);
      return true;
    } catch (error) {
      if (isStatus(error, 'Conflict')) return false;
      if (!isStatus(error, 'NotFound')) throw error;
      return true;
    }
  }
}
