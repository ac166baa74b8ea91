import { timestamp } from '../../base/clock.ts';
import type { Condition } from '../../machinery/meta/v1.gen.ts';
import type { Live, ObjectList } from '../../machinery/object.ts';
import { selectorFrom, selectorMatches } from '../../machinery/selectors/label-selector.ts';
import { isStatus, type StatusError } from '../../machinery/status-error.ts';
import { newForbidden, newTooManyRequests, newUnknownError } from '../../machinery/status/errors.ts';
import type { Transport } from '../../machinery/transport.ts';
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '../policy/v1.gen.ts';
import type { StrategyContext } from '../resource.ts';
import type { Pod } from './v1.gen.ts';

const mostDisruptedPods = 2000;
const attempts = 20;
const allowed = 'DisruptionAllowed';

/** The only version of the request that upstream's budget errors speak of. */
const budgetPath = { group: 'policy', version: 'v1', resource: 'poddisruptionbudgets' } as const;

function violation(cause: string, retryAfterSeconds: number): StatusError {
  return newTooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [{ reason: 'DisruptionBudget', message: cause }],
    retryAfterSeconds,
  });
}

/** 429 for a budget whose numbers are not those of its specification, or changed meanwhile. */
export function stillProcessed(name: string): StatusError {
  return violation(`The disruption budget ${name} is still being processed by the server.`, 10);
}

function whyExhausted(name: string, status: PodDisruptionBudgetStatus): string {
  const condition = status.conditions?.find(({ type }) => type === allowed);
  const refused = condition?.status === 'False' && condition.message ? condition : undefined;
  const subject = `The disruption budget ${name}`;
  if (refused?.reason === 'SyncFailed') {
    return `${subject} does not allow evicting pods currently because it failed sync: ${refused.message}`;
  }
  if (status.currentHealthy <= status.desiredHealthy) {
    return `${subject} needs ${status.desiredHealthy} healthy pods and has ${status.currentHealthy} currently`;
  }
  if (refused) {
    return `${subject} does not allow evicting pods currently (${refused.reason}): ${refused.message}`;
  }
  return `${subject} does not allow evicting pods currently`;
}

function exhaustedCondition(budget: Live<PodDisruptionBudget>, now: number): Condition {
  const before = budget.status?.conditions?.find(({ type }) => type === allowed);
  return {
    type: allowed,
    status: 'False',
    ...(budget.status?.observedGeneration && { observedGeneration: budget.status.observedGeneration }),
    lastTransitionTime: before?.status === 'False' ? before.lastTransitionTime : timestamp(now),
    reason: 'InsufficientPods',
    message: '',
  };
}

/** The budget's status after one more eviction. Throws when it allows none. */
function charged(budget: Live<PodDisruptionBudget>, pod: string, now: number): PodDisruptionBudgetStatus {
  const { status, metadata } = budget;
  const { name } = metadata;
  const resource = { group: 'policy', resource: 'poddisruptionbudget' };
  if ((status?.observedGeneration ?? 0) < (metadata.generation ?? 0)) throw stillProcessed(name);
  if (!status || status.disruptionsAllowed === 0) {
    const none = { disruptionsAllowed: 0, currentHealthy: 0, desiredHealthy: 0, expectedPods: 0 };
    throw violation(whyExhausted(name, status ?? none), 0);
  }
  if (status.disruptionsAllowed < 0) {
    throw newForbidden(resource, name, 'pdb disruptions allowed is negative');
  }
  if (Object.keys(status.disruptedPods ?? {}).length > mostDisruptedPods) {
    const detail = 'DisruptedPods map too big - too many evictions not confirmed by PDB controller';
    throw newForbidden(resource, name, detail);
  }
  const disruptionsAllowed = status.disruptionsAllowed - 1;
  const others = (status.conditions ?? []).filter(({ type }) => type !== allowed);
  return {
    ...status,
    disruptionsAllowed,
    disruptedPods: { ...status.disruptedPods, [pod]: timestamp(now) },
    ...(disruptionsAllowed === 0 && { conditions: [...others, exhaustedCondition(budget, now)] }),
  };
}

/**
 * The budget that covers the pod; undefined without one. Throws the error that upstream answers when there are several.
 */
export async function budgetOf(
  pod: Live<Pod>,
  server: Transport,
): Promise<Live<PodDisruptionBudget> | undefined> {
  const { namespace = '', labels } = pod.metadata;
  const list = (await server.request({
    verb: 'list',
    ...budgetPath,
    namespace,
  })) as ObjectList<PodDisruptionBudget>;
  const [budget, another] = list.items.filter(({ spec }) => {
    const selector = selectorFrom(spec.selector);
    return spec.selector !== undefined && selectorMatches(selector, labels);
  });
  if (another) {
    throw newUnknownError(
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    );
  }
  return budget;
}

/** Takes one eviction from the budget, again when somebody else changed it. Throws when it allows none. */
export async function chargeBudget(
  first: Live<PodDisruptionBudget>,
  pod: string,
  { server, now, dryRun }: StrategyContext,
): Promise<void> {
  const { namespace = '', name } = first.metadata;
  let budget = first;
  for (let attempt = 1; ; attempt += 1) {
    const status = charged(budget, pod, now);
    if (dryRun) return;
    try {
      await server.request({
        verb: 'update',
        ...budgetPath,
        subresource: 'status',
        namespace,
        name,
        body: { ...budget, status },
      });
      return;
    } catch (error) {
      if (!isStatus(error, 'Conflict') || attempt === attempts) throw error;
    }
    budget = (await server.request({
      verb: 'get',
      ...budgetPath,
      namespace,
      name,
    })) as Live<PodDisruptionBudget>;
  }
}
