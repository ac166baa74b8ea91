import type { DeepMutable, KubeObject, Live } from '../../machinery/object.ts';
import type { DeleteOptions } from '../../machinery/meta/v1.gen.ts';
import { isStatus } from '../../machinery/status-error.ts';
import { newBadRequest, newUnknownError } from '../../machinery/status/errors.ts';
import type { Eviction, PodDisruptionBudget } from '../policy/v1.gen.ts';
import type { StrategyContext } from '../resource.ts';
import { budgetOf, chargeBudget, stillProcessed } from './eviction-budget.ts';
import type { Pod } from './v1.gen.ts';

function isReady({ status }: Pod): boolean {
  return status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') ?? false;
}

/** Pods that no budget protects: those that have not started, have finished or are going already. */
function needsNoBudget({ metadata, status }: Pod): boolean {
  return (
    metadata.deletionTimestamp !== undefined ||
    ['Pending', 'Succeeded', 'Failed'].includes(status?.phase ?? '')
  );
}

/** Whether the budget lets a pod go that is not ready, without being charged for it. */
function allowsUnready({ spec, status }: PodDisruptionBudget): boolean {
  if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}

function mergeDryRun(body: DeepMutable<Eviction>, dryRun: boolean): DeleteOptions {
  const own = body.deleteOptions?.dryRun ?? [];
  if (own.length > 0 && dryRun && (own.length !== 1 || own[0] !== 'All')) {
    throw newUnknownError(
      `Non-matching dry-run options in request and content: [All] and [${own.join(' ')}]`,
    );
  }
  return { ...body.deleteOptions, ...(dryRun && { dryRun: ['All'] }) };
}

/** Deletes the pod on behalf of who drains its node, when its disruption budget allows. Throws as a deletion does. */
export async function evictPod(
  pod: Live<Pod>,
  body: DeepMutable<KubeObject>,
  context: StrategyContext,
): Promise<unknown> {
  const eviction = body as DeepMutable<Eviction>;
  const { name, namespace = '', resourceVersion } = pod.metadata;
  if (eviction.metadata.name !== name) {
    throw newBadRequest('name in URL does not match name in Eviction object');
  }
  const options = mergeDryRun(eviction, context.dryRun);
  const dryRun = (options.dryRun ?? []).length > 0;
  const remove = (unchanged: boolean): Promise<unknown> => {
    const preconditions = {
      ...(unchanged && { resourceVersion }),
      ...options.preconditions,
    };
    return context.server.request({
      verb: 'delete',
      group: '',
      version: 'v1',
      resource: 'pods',
      namespace,
      name,
      body: { ...options, preconditions, kind: 'DeleteOptions', apiVersion: 'v1' },
    });
  };
  if (needsNoBudget(pod)) await remove(pod.status?.phase === 'Pending');
  else {
    const budget = await budgetOf(pod, context.server);
    const free = budget !== undefined && !isReady(pod) && allowsUnready(budget);
    if (budget && !free) await chargeBudget(budget, name, { ...context, dryRun });
    try {
      await remove(free);
    } catch (error) {
      if (!free || !isStatus(error, 'Conflict') || options.preconditions?.resourceVersion) throw error;
      throw stillProcessed(budget.metadata.name);
    }
  }
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
}
