import type { Scale } from '../../api/autoscaling/v1.gen.ts';
import {
  horizontalpodautoscalers,
  type HorizontalPodAutoscaler,
  type HorizontalPodAutoscalerStatus,
} from '../../api/autoscaling/v2.gen.ts';
import { pods, type Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { selectorMatches, type Selector } from '../../machinery/selectors/label-selector.ts';
import { parseLabelSelector } from '../../machinery/selectors/parse-label-selector.ts';
import { StatusError } from '../../machinery/status-error.ts';
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
import { createScaledKinds, type ScaledResource } from '../scale/scaled-kinds.ts';
import { createMetricsClient } from './metrics-client.ts';
import type { History } from './normalize.ts';
import {
  planAutoscaler,
  rescaled,
  withoutScale,
  type AutoscalerEvent,
  type SelectorProblem,
} from './plan.ts';
import { readMetric } from './read-metric.ts';

/** Sets the number of replicas of anything that has a scale by what metrics say. */
export const horizontalPodAutoscalerController: Controller = {
  name: 'horizontal-pod-autoscaler-controller',
  aliases: ['horizontalpodautoscaling'],
  start,
};

/** kube-controller-manager's `--horizontal-pod-autoscaler-sync-period`. */
const syncMs = 15_000;

/** Why the target of an autoscaler cannot be reached. */
class TargetError extends Error {}

function start(context: ControllerContext): RunningController {
  const { client, informers, clock } = context;
  const events = context.events.as('horizontal-pod-autoscaler');
  const autoscalerCache = informers.for(horizontalpodautoscalers);
  const podCache = informers.for(pods);
  const autoscalerClient = client.for(horizontalpodautoscalers);
  const kinds = createScaledKinds(client);
  const metrics = createMetricsClient(client, kinds);
  const histories = new Map<string, History>();
  const selectors = new Map<string, { readonly namespace: string; readonly selector: Selector }>();
  const reconciler = startReconciler(context, {
    name: horizontalPodAutoscalerController.name,
    caches: [autoscalerCache, podCache],
    reconcile,
  });
  autoscalerCache.addHandler({
    onAdd: (autoscaler) => reconciler.add(objectKey(autoscaler)),
    onUpdate(autoscaler, previous) {
      if (!deepEqual(autoscaler.spec, previous.spec)) reconciler.add(objectKey(autoscaler));
    },
    onDelete(autoscaler) {
      histories.delete(objectKey(autoscaler));
      selectors.delete(objectKey(autoscaler));
    },
  });
  return reconciler;

  async function reconcile(key: string): Promise<Outcome> {
    const autoscaler = byKey(autoscalerCache, key);
    if (!autoscaler) return settled;
    await scaleTarget(key, autoscaler);
    return recheck(syncMs);
  }

  async function scaleTarget(key: string, autoscaler: Live<HorizontalPodAutoscaler>): Promise<void> {
    const found = await findScale(autoscaler);
    if ('problem' in found) {
      record(autoscaler, [{ type: 'Warning', reason: 'FailedGetScale', message: found.problem }]);
      await report(autoscaler, withoutScale(autoscaler, found.problem, clock.now()));
      return;
    }
    const { scale, resource } = found;
    const text = scale.status?.selector ?? '';
    const selected = selectPods(key, autoscaler, text);
    const { namespace = '' } = autoscaler.metadata;
    const specs = 'problem' in selected ? [] : (autoscaler.spec.metrics ?? []);
    const readings = await Promise.all(
      specs.map((spec) => readMetric(metrics, spec, { namespace, selector: text })),
    );
    const plan = planAutoscaler({
      autoscaler,
      replicas: scale.spec.replicas ?? 0,
      statusReplicas: scale.status?.replicas ?? 0,
      pods: selected,
      readings,
      history: histories.get(key),
      now: clock.now(),
    });
    record(autoscaler, plan.events);
    const problem = plan.rescale && (await setReplicas(resource, scale, plan.rescale.to));
    const outcome = rescaled(plan, { autoscaler, problem, now: clock.now() });
    histories.set(key, outcome.history);
    record(autoscaler, outcome.events);
    await report(autoscaler, outcome.status);
  }

  async function findScale(
    autoscaler: Live<HorizontalPodAutoscaler>,
  ): Promise<{ scale: Scale; resource: ScaledResource } | { problem: string }> {
    const { kind, name } = autoscaler.spec.scaleTargetRef;
    try {
      const group = targetGroup(autoscaler);
      const resource = await kinds.resourceOf({ group, kind });
      if (!resource) {
        const where = group === '' ? 'version "v1"' : `group ${JSON.stringify(group)}`;
        return { problem: `no matches for kind ${JSON.stringify(kind)} in ${where}` };
      }
      return { resource, scale: await kinds.get(resource, autoscaler.metadata.namespace ?? '', name) };
    } catch (error) {
      if (error instanceof StatusError || error instanceof TargetError) return { problem: error.message };
      throw error;
    }
  }

  /** The pods of the target; no other autoscaler may scale any of them. */
  function selectPods(
    key: string,
    autoscaler: Live<HorizontalPodAutoscaler>,
    text: string,
  ): readonly Live<Pod>[] | SelectorProblem {
    if (text === '') {
      return {
        reason: 'SelectorRequired',
        problem: 'selector is required',
        conditionReason: 'InvalidSelector',
        conditionMessage: "the HPA target's scale is missing a selector",
      };
    }
    const { namespace = '' } = autoscaler.metadata;
    const selector = parsed(text);
    if ('problem' in selector) return { reason: 'InvalidSelector', problem: selector.problem };
    selectors.set(key, { namespace, selector });
    const selected = podCache
      .list(namespace)
      .filter(({ metadata }) => selectorMatches(selector, metadata.labels));
    const rivals = [...selectors].filter(
      ([, other]) =>
        other.namespace === namespace &&
        selected.some(({ metadata }) => selectorMatches(other.selector, metadata.labels)),
    );
    if (rivals.length < 2) return selected;
    const names = rivals.map(([rival]) => rival).sort();
    const problem = `pods by selector ${text} are controlled by multiple HPAs: [${names.join(' ')}]`;
    return { reason: 'AmbiguousSelector', problem };
  }

  async function setReplicas(
    resource: ScaledResource,
    scale: Scale,
    replicas: number,
  ): Promise<string | undefined> {
    try {
      await kinds.update(resource, { ...scale, spec: { ...scale.spec, replicas } });
      return undefined;
    } catch (error) {
      if (error instanceof StatusError) return error.message;
      throw error;
    }
  }

  function record(autoscaler: Live<HorizontalPodAutoscaler>, list: readonly AutoscalerEvent[]): void {
    for (const { type, reason, message } of list) events.record(autoscaler, type, reason, message);
  }

  async function report(
    autoscaler: Live<HorizontalPodAutoscaler>,
    status: HorizontalPodAutoscalerStatus,
  ): Promise<void> {
    if (deepEqual(status, autoscaler.status)) return;
    await autoscalerClient.updateStatus({ ...autoscaler, status });
  }
}

function targetGroup({ spec }: HorizontalPodAutoscaler): string {
  const { apiVersion = '' } = spec.scaleTargetRef;
  const [group = '', version, ...more] = apiVersion.split('/');
  if (more.length > 0) throw new TargetError(`unexpected GroupVersion string: ${apiVersion}`);
  return version === undefined ? '' : group;
}

function parsed(text: string): Selector | { readonly problem: string } {
  try {
    return parseLabelSelector(text);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const problem = `couldn't convert selector into a corresponding internal selector object: ${error.message}`;
    return { problem };
  }
}
