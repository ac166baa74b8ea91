import type { Pod } from '../../api/core/v1.gen.ts';
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../api/policy/v1.gen.ts';
import { timestamp } from '../../base/clock.ts';
import { scaledValue } from '../../machinery/int-or-string.ts';
import type { Condition } from '../../machinery/meta/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import { printGoSelector } from '../../machinery/selectors/print-go-selector.ts';
import { controllerOf } from '../../reconcile/owner.ts';
import { isPodReady } from '../pods/pod-state.ts';

/** How many pods the controller of a pod wants, or why that cannot be known. */
export type ControllerScale =
  | { readonly uid: string; readonly replicas: number }
  | { readonly problem: string };

export interface BudgetObservation {
  readonly budget: Live<PodDisruptionBudget>;
  /** The pods that it selects. */
  readonly pods: readonly Live<Pod>[];
  /** By the uid of the pods' controllers; needed when {@link countsControllers}. */
  readonly scales: ReadonlyMap<string, ControllerScale>;
  readonly now: number;
}

export interface BudgetPlan {
  readonly status: PodDisruptionBudgetStatus;
  /** About the budget. */
  readonly events: readonly {
    readonly type: 'Normal' | 'Warning';
    readonly reason: string;
    readonly message: string;
  }[];
  /** Pods whose eviction was granted and that did not go. */
  readonly notDeleted: readonly Live<Pod>[];
  /** Milliseconds until an eviction that was granted counts as failed. */
  readonly recheckMs: number | undefined;
}

/** How long an evicted pod may take until it is being deleted. */
const deletionMs = 120_000;

/** Whether the budget depends on how many pods the controllers want, rather than on how many there are. */
export function countsControllers({ spec }: PodDisruptionBudget): boolean {
  return spec.maxUnavailable !== undefined || typeof spec.minAvailable === 'string';
}

/** What the status of a budget should say. */
export function planBudget(observation: BudgetObservation): BudgetPlan {
  const { budget, pods, now } = observation;
  const events: BudgetPlan['events'][number][] = [];
  if (pods.length === 0) {
    events.push({ type: 'Normal', reason: 'NoPods', message: 'No matching pods found' });
  }
  const expected = expectedPods(observation);
  if ('problem' in expected) {
    const message = `Failed to calculate the number of expected pods: ${expected.problem}`;
    events.push({ type: 'Warning', reason: 'CalculateExpectedPodCountFailed', message });
    const status = failedStatus(budget, expected.problem, now);
    return { status, events, notDeleted: [], recheckMs: undefined };
  }
  if (expected.unmanaged) {
    const message = `Pods selected by this PodDisruptionBudget (selector: ${printGoSelector(budget.spec.selector ?? {})}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`;
    events.push({ type: 'Warning', reason: 'UnmanagedPods', message });
  }
  const { disruptedPods, notDeleted, recheckMs } = planDisrupted(observation);
  const currentHealthy = pods.filter(
    (pod) =>
      pod.metadata.deletionTimestamp === undefined &&
      !Object.hasOwn(disruptedPods, pod.metadata.name) &&
      isPodReady(pod),
  ).length;
  const desiredHealthy = desiredOf(budget, expected.count);
  const spare = Math.max(0, currentHealthy - desiredHealthy);
  const numbers = {
    currentHealthy,
    desiredHealthy,
    expectedPods: expected.count,
    // A budget that sees no pods may see its first ones too late.
    disruptionsAllowed: expected.count > 0 ? spare : 0,
  };
  return { status: newStatus(budget, { ...numbers, disruptedPods }, now), events, notDeleted, recheckMs };
}

type Expected = { readonly count: number; readonly unmanaged: boolean } | { readonly problem: string };

function expectedPods({ budget, pods, scales }: BudgetObservation): Expected {
  if (!countsControllers(budget)) return { count: pods.length, unmanaged: false };
  const counted = new Map<string, number>();
  let unmanaged = false;
  for (const pod of pods) {
    const controller = controllerOf(pod);
    if (!controller) {
      unmanaged = true;
      continue;
    }
    const scale = scales.get(controller.uid);
    if (!scale) return { problem: `found no controllers for pod ${JSON.stringify(pod.metadata.name)}` };
    if ('problem' in scale) return scale;
    counted.set(scale.uid, scale.replicas);
  }
  return { count: [...counted.values()].reduce((sum, replicas) => sum + replicas, 0), unmanaged };
}

/** Percentages are rounded up, so that a `maxUnavailable` of 1% lets one pod go. */
function desiredOf({ spec }: PodDisruptionBudget, expected: number): number {
  const { maxUnavailable, minAvailable } = spec;
  if (maxUnavailable !== undefined)
    return Math.max(0, expected - scaledValue(maxUnavailable, expected, 'up'));
  return minAvailable === undefined ? 0 : scaledValue(minAvailable, expected, 'up');
}

/** The evictions that were granted and have not been seen to happen yet. */
function planDisrupted({ budget, pods, now }: BudgetObservation): Pick<
  BudgetPlan,
  'notDeleted' | 'recheckMs'
> & {
  readonly disruptedPods: Readonly<Record<string, string>>;
} {
  const disruptedPods: Record<string, string> = {};
  const notDeleted: Live<Pod>[] = [];
  let recheckMs: number | undefined;
  for (const pod of pods) {
    const since = budget.status?.disruptedPods?.[pod.metadata.name];
    if (since === undefined || pod.metadata.deletionTimestamp !== undefined) continue;
    const left = Date.parse(since) + deletionMs - now;
    if (left < 0) notDeleted.push(pod);
    else {
      disruptedPods[pod.metadata.name] = since;
      recheckMs = Math.min(recheckMs ?? left + 1, left + 1);
    }
  }
  return { disruptedPods, notDeleted, recheckMs };
}

function newStatus(
  budget: Live<PodDisruptionBudget>,
  {
    disruptedPods = {},
    ...numbers
  }: Pick<
    PodDisruptionBudgetStatus,
    'currentHealthy' | 'desiredHealthy' | 'expectedPods' | 'disruptionsAllowed' | 'disruptedPods'
  >,
  now: number,
): PodDisruptionBudgetStatus {
  const { generation = 0 } = budget.metadata;
  const allowed = numbers.disruptionsAllowed > 0;
  const condition = {
    status: allowed ? 'True' : 'False',
    reason: allowed ? 'SufficientPods' : 'InsufficientPods',
    message: '',
    ...(generation > 0 && { observedGeneration: generation }),
  };
  return {
    ...numbers,
    ...(generation > 0 && { observedGeneration: generation }),
    ...(Object.keys(disruptedPods).length > 0 && { disruptedPods }),
    conditions: withAllowed(budget.status?.conditions, condition, now),
  };
}

/** Nothing may go while it is not known how much should stay. */
function failedStatus(
  { status }: Live<PodDisruptionBudget>,
  message: string,
  now: number,
): PodDisruptionBudgetStatus {
  const { observedGeneration } = status ?? {};
  const condition = {
    status: 'False',
    reason: 'SyncFailed',
    message,
    ...(observedGeneration !== undefined && { observedGeneration }),
  };
  return {
    currentHealthy: 0,
    desiredHealthy: 0,
    expectedPods: 0,
    ...status,
    disruptionsAllowed: 0,
    conditions: withAllowed(status?.conditions, condition, now),
  };
}

function withAllowed(
  conditions: readonly Condition[] = [],
  next: Omit<Condition, 'type' | 'lastTransitionTime'>,
  now: number,
): readonly Condition[] {
  const type = 'DisruptionAllowed';
  const current = conditions.find((condition) => condition.type === type);
  const lastTransitionTime = current?.status === next.status ? current.lastTransitionTime : timestamp(now);
  const condition = { type, lastTransitionTime, ...next };
  return current
    ? conditions.map((other) => (other.type === type ? condition : other))
    : [...conditions, condition];
}
