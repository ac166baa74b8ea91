import { timestamp } from '../../base/clock.ts';
import type { DeepMutable, KubeObject, Live } from '../../machinery/object.ts';
import type { DeleteOptions } from '../../machinery/meta/v1.gen.ts';
import { isStatus } from '../../machinery/status-error.ts';
import { newBadRequest, newUnknownError } from '../../machinery/status/errors.ts';
import type { ApiRequest } from '../../machinery/transport.ts';
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

function podsOf(namespace: string): Pick<ApiRequest, 'group' | 'version' | 'resource' | 'namespace'> {
  return { group: '', version: 'v1', resource: 'pods', namespace };
}

type Preconditions = NonNullable<DeleteOptions['preconditions']>;

/** Says in the pod's status why it goes; returns the preconditions, which then hold of the changed pod. */
async function marked(
  pod: Live<Pod>,
  preconditions: Preconditions,
  { server, now }: StrategyContext,
): Promise<Preconditions> {
  const { name, namespace = '', uid, resourceVersion } = pod.metadata;
  // The deletion refuses a pod that is not the one that was meant.
  if (preconditions.uid !== undefined && preconditions.uid !== uid) return preconditions;
  const exact = preconditions.resourceVersion;
  if (exact !== undefined && exact !== resourceVersion) return preconditions;
  const condition = {
    type: 'DisruptionTarget',
    status: 'True',
    lastTransitionTime: timestamp(now),
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
  };
  const types = (pod.status?.conditions ?? []).map(({ type }) => ({ type }));
  const order = [...types.filter(({ type }) => type !== condition.type), { type: condition.type }];
  const changed = (await server.request({
    verb: 'patch',
    ...podsOf(namespace),
    name,
    subresource: 'status',
    patchType: 'application/strategic-merge-patch+json',
    body: {
      metadata: { uid, ...(exact !== undefined && { resourceVersion: exact }) },
      status: { '$setElementOrder/conditions': order, conditions: [condition] },
    },
  })) as Live<Pod>;
  return exact === undefined
    ? preconditions
    : { ...preconditions, resourceVersion: changed.metadata.resourceVersion };
}

interface Removal {
  readonly options: DeleteOptions;
  readonly dryRun: boolean;
  readonly context: StrategyContext;
}

/** Deletes the pod as it was seen, or, with `anything`, whatever has become of it. */
async function remove(
  pod: Live<Pod>,
  seen: 'as-seen' | 'anything',
  { options, dryRun, context }: Removal,
): Promise<void> {
  const { name, namespace = '', resourceVersion } = pod.metadata;
  const wanted = { ...(seen === 'as-seen' && { resourceVersion }), ...options.preconditions };
  const preconditions = dryRun ? wanted : await marked(pod, wanted, context);
  await context.server.request({
    verb: 'delete',
    ...podsOf(namespace),
    name,
    body: { ...options, preconditions, kind: 'DeleteOptions', apiVersion: 'v1' },
  });
}

const attempts = 20;

/** Deletes the pod while no budget protects it; returns it when it has come under protection meanwhile. */
async function removeUnprotected(first: Live<Pod>, removal: Removal): Promise<Live<Pod> | undefined> {
  const { name, namespace = '' } = first.metadata;
  const { uid, resourceVersion } = removal.options.preconditions ?? {};
  const retries = resourceVersion === undefined && (uid === undefined || uid === first.metadata.uid);
  let pod = first;
  for (let attempt = 1; needsNoBudget(pod); attempt += 1) {
    try {
      await remove(pod, pod.status?.phase === 'Pending' ? 'as-seen' : 'anything', removal);
      return undefined;
    } catch (error) {
      if (!retries || !isStatus(error, 'Conflict') || attempt === attempts) throw error;
    }
    const fresh = await removal.context.server.request({ verb: 'get', ...podsOf(namespace), name });
    pod = fresh as Live<Pod>;
  }
  return pod;
}

/** Deletes the pod on behalf of who drains its node, when its disruption budget allows. Throws as a deletion does. */
export async function evictPod(
  pod: Live<Pod>,
  body: DeepMutable<KubeObject>,
  context: StrategyContext,
): Promise<unknown> {
  const eviction = body as DeepMutable<Eviction>;
  if (eviction.metadata.name !== pod.metadata.name) {
    throw newBadRequest('name in URL does not match name in Eviction object');
  }
  const options = mergeDryRun(eviction, context.dryRun);
  const removal = { options, dryRun: (options.dryRun ?? []).length > 0, context };
  const guarded = await removeUnprotected(pod, removal);
  if (guarded) await removeGuarded(guarded, removal);
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
}

async function removeGuarded(pod: Live<Pod>, removal: Removal): Promise<void> {
  const { context, dryRun, options } = removal;
  const budget = await budgetOf(pod, context.server);
  const free = budget !== undefined && !isReady(pod) && allowsUnready(budget);
  if (budget && !free) await chargeBudget(budget, pod.metadata.name, { ...context, dryRun });
  try {
    await remove(pod, free ? 'as-seen' : 'anything', removal);
  } catch (error) {
    if (!free || !isStatus(error, 'Conflict') || options.preconditions?.resourceVersion) throw error;
    throw stillProcessed(budget.metadata.name);
  }
}
