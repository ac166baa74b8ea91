import { pods, type Pod } from '../../api/core/v1.gen.ts';
import { poddisruptionbudgets, type PodDisruptionBudget } from '../../api/policy/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { selectorFrom, selectorMatches } from '../../machinery/selectors/label-selector.ts';
import {
  recheck,
  settled,
  type Controller,
  type ControllerContext,
  type Outcome,
  type RunningController,
} from '../../reconcile/controller.ts';
import { deepEqual } from '../../reconcile/deep-equal.ts';
import { OwnWrites } from '../../reconcile/own-writes.ts';
import { controllerOf } from '../../reconcile/owner.ts';
import { byKey, objectKey, startReconciler } from '../../reconcile/reconciler.ts';
import { isPodReady } from '../pods/pod-state.ts';
import { createControllerScales } from './controller-scale.ts';
import { countsControllers, planBudget, type ControllerScale } from './plan.ts';
import { msUntilStale, withoutDisruption } from './stale-disruption.ts';

/** Says in the status of disruption budgets how many pods may be evicted. */
export const disruptionController: Controller = {
  name: 'disruption-controller',
  aliases: ['disruption'],
  start,
};

/** Changes of fewer pods are looked at at once. */
const fewPods = 100;
const longestDelayMs = 1000;

function start(context: ControllerContext): RunningController {
  const { client, informers, clock } = context;
  const events = context.events.as('controllermanager');
  const budgetCache = informers.for(poddisruptionbudgets);
  const podCache = informers.for(pods);
  const scales = createControllerScales(context);
  const budgetClient = client.for(poddisruptionbudgets);
  const podClient = client.for(pods);
  const ownWrites = new OwnWrites(budgetCache);
  const reconciler = startReconciler(context, {
    name: disruptionController.name,
    caches: [budgetCache, podCache, ...scales.caches],
    concurrency: 1,
    reconcile,
  });
  const staleDisruptions = startReconciler(context, {
    name: `${disruptionController.name}: stale pod disruptions`,
    caches: [podCache],
    concurrency: 1,
    reconcile: clearStaleDisruption,
  });
  budgetCache.addHandler({
    onAdd: (budget) => reconciler.add(objectKey(budget)),
    onUpdate: (budget) => reconciler.add(objectKey(budget)),
    onDelete: (budget) => ownWrites.forget(objectKey(budget)),
  });
  podCache.addHandler({
    onAdd: see,
    onUpdate(pod, previous) {
      if (!deepEqual(pod.metadata.labels, previous.metadata.labels)) wakeBudgets(previous);
      if (!deepEqual(facts(pod), facts(previous))) wakeBudgets(pod);
      watchDisruption(pod);
    },
    onDelete: wakeBudgets,
  });
  for (const cache of scales.caches) {
    cache.addHandler({
      onAdd: wakeNamespace,
      onUpdate(owner, previous) {
        if (owner.spec?.replicas !== previous.spec?.replicas) wakeNamespace(owner);
      },
      onDelete: wakeNamespace,
    });
  }
  return {
    async stop() {
      await Promise.all([reconciler.stop(), staleDisruptions.stop()]);
    },
  };

  function see(pod: Live<Pod>): void {
    wakeBudgets(pod);
    watchDisruption(pod);
  }

  function watchDisruption(pod: Live<Pod>): void {
    if (msUntilStale(pod, clock.now()) !== undefined) staleDisruptions.add(objectKey(pod));
  }

  function wakeNamespace({ metadata }: { readonly metadata: { readonly namespace?: string } }): void {
    for (const budget of budgetCache.list(metadata.namespace ?? ''))
      if (countsControllers(budget)) reconciler.add(objectKey(budget));
  }

  /** The more pods a budget is about, the more of their changes are looked at together. */
  function wake(budget: Live<PodDisruptionBudget>): void {
    const { expectedPods = 0 } = budget.status ?? {};
    if (expectedPods < fewPods) reconciler.add(objectKey(budget));
    else reconciler.addAfter(objectKey(budget), Math.min(expectedPods, longestDelayMs));
  }

  function wakeBudgets(pod: Live<Pod>): void {
    const { namespace = '', name } = pod.metadata;
    const budgets = budgetCache.list(namespace).filter((budget) => selects(budget, pod));
    for (const budget of budgets) wake(budget);
    if (budgets.length < 2) return;
    const [first = ''] = budgets.map(({ metadata }) => metadata.name).sort();
    const message = `Pod ${JSON.stringify(namespace)}/${JSON.stringify(name)} matches multiple PodDisruptionBudgets.  Chose ${JSON.stringify(first)} arbitrarily.`;
    events.record(pod, 'Warning', 'MultiplePodDisruptionBudgets', message);
  }

  async function reconcile(key: string): Promise<Outcome> {
    const budget = byKey(budgetCache, key);
    if (!budget || !ownWrites.observed(key)) return settled;
    const { namespace = '' } = budget.metadata;
    const selected = podCache.list(namespace).filter((pod) => selects(budget, pod));
    const found = countsControllers(budget) ? await scalesOf(selected, namespace) : new Map<string, never>();
    const plan = planBudget({ budget, pods: selected, scales: found, now: clock.now() });
    for (const { type, reason, message } of plan.events) events.record(budget, type, reason, message);
    for (const pod of plan.notDeleted) {
      const message = `Pod was expected by PDB ${namespace}/${namespace} to be deleted but it wasn't`;
      events.record(pod, 'Warning', 'NotDeleted', message);
    }
    if (!deepEqual(plan.status, budget.status))
      ownWrites.wrote(key, await budgetClient.updateStatus({ ...budget, status: plan.status }));
    return plan.recheckMs === undefined ? settled : recheck(plan.recheckMs);
  }

  async function scalesOf(
    selected: readonly Live<Pod>[],
    namespace: string,
  ): Promise<ReadonlyMap<string, ControllerScale>> {
    const references = new Map(
      selected.flatMap((pod) => {
        const controller = controllerOf(pod);
        return controller ? [[controller.uid, controller] as const] : [];
      }),
    );
    const found = new Map<string, ControllerScale>();
    for (const [uid, reference] of references) {
      const scale = await scales.of(reference, namespace);
      if (scale) found.set(uid, scale);
    }
    return found;
  }

  async function clearStaleDisruption(key: string): Promise<Outcome> {
    const pod = byKey(podCache, key);
    const waitMs = pod && msUntilStale(pod, clock.now());
    if (!pod || waitMs === undefined) return settled;
    if (waitMs > 0) return recheck(waitMs);
    await podClient.updateStatus({ ...pod, status: withoutDisruption(pod.status ?? {}, clock.now()) });
    return settled;
  }
}

function selects({ spec }: PodDisruptionBudget, pod: Pod): boolean {
  return spec.selector !== undefined && selectorMatches(selectorFrom(spec.selector), pod.metadata.labels);
}

/** What budgets look at in a pod. */
function facts(pod: Live<Pod>): readonly unknown[] {
  const { uid, labels, deletionTimestamp } = pod.metadata;
  return [uid, labels, deletionTimestamp === undefined, isPodReady(pod), controllerOf(pod)?.uid];
}
