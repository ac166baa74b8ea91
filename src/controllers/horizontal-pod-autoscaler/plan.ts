import type {
  HorizontalPodAutoscaler,
  HorizontalPodAutoscalerCondition,
  HorizontalPodAutoscalerStatus,
  HPAScalingRules,
  MetricStatus,
} from '../../api/autoscaling/v2.gen.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import { timestamp } from '../../base/clock.ts';
import type { Live } from '../../machinery/object.ts';
import { parseQuantity } from '../../machinery/quantity.ts';
import { newHistory, normalize, withChange, type History } from './normalize.ts';
import { propose, type Proposal, type Reading } from './proposal.ts';

export interface AutoscalerObservation {
  readonly autoscaler: Live<HorizontalPodAutoscaler>;
  /** How many replicas the target should have, and has. */
  readonly replicas: number;
  readonly statusReplicas: number;
  /** The pods of the target; or why they cannot be told. */
  readonly pods: readonly Pod[] | SelectorProblem;
  /** One a metric, in the order of the specification. */
  readonly readings: readonly Reading[];
  readonly history: History | undefined;
  readonly now: number;
}

/** Why it is not known which pods belong to the target. */
export interface SelectorProblem {
  /** Of the event. */
  readonly reason: string;
  readonly problem: string;
  /** Of the condition, where they differ. */
  readonly conditionReason?: string;
  readonly conditionMessage?: string;
}

export interface AutoscalerPlan {
  readonly status: HorizontalPodAutoscalerStatus;
  readonly events: readonly AutoscalerEvent[];
  /** The number of replicas to set, and why. */
  readonly rescale: { readonly from: number; readonly to: number; readonly reason: string } | undefined;
  readonly history: History;
}

export interface AutoscalerEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

const defaultTolerance = 0.1;

/** What an autoscaler should do about its target. */
export function planAutoscaler(observation: AutoscalerObservation): AutoscalerPlan {
  const { autoscaler, replicas, now } = observation;
  const { minReplicas = 1, maxReplicas } = autoscaler.spec;
  const history = observation.history ?? newHistory(replicas, now);
  const message = "the HPA controller was able to get the target's current scale";
  const status = withStatusCondition(
    autoscaler,
    { type: 'AbleToScale', status: 'True', reason: 'SucceededGetScale', message },
    now,
  );
  const still = { events: [], rescale: undefined, history };
  if (replicas === 0 && minReplicas !== 0) {
    const disabled = {
      type: 'ScalingActive',
      status: 'False',
      reason: 'ScalingDisabled',
      message: 'scaling is disabled since the replica count of the target is zero',
    };
    const inactive = withCondition(status.conditions, disabled, now);
    return { ...still, status: { ...numbers(status, 0, 0), conditions: inactive } };
  }
  const bound = replicas > maxReplicas ? maxReplicas : replicas < minReplicas ? minReplicas : undefined;
  if (bound !== undefined) {
    const reason =
      bound === maxReplicas && replicas > maxReplicas
        ? 'Current number of replicas above Spec.MaxReplicas'
        : 'Current number of replicas below Spec.MinReplicas';
    const rescale = { from: replicas, to: bound, reason };
    return { ...still, status: numbers(status, replicas, bound), rescale };
  }
  return planByMetrics(observation, { status, history, minReplicas });
}

/** The status of an autoscaler whose target cannot be reached. */
export function withoutScale(
  autoscaler: Live<HorizontalPodAutoscaler>,
  problem: string,
  now: number,
): HorizontalPodAutoscalerStatus {
  const message = `the HPA controller was unable to get the target's current scale: ${problem}`;
  const condition = { type: 'AbleToScale', status: 'False', reason: 'FailedGetScale', message };
  return withStatusCondition(autoscaler, condition, now);
}

/** What is to be reported once the target has been scaled, or could not be. */
export function rescaled(
  { status, rescale, history }: AutoscalerPlan,
  {
    autoscaler,
    problem,
    now,
  }: {
    readonly autoscaler: Live<HorizontalPodAutoscaler>;
    readonly problem: string | undefined;
    readonly now: number;
  },
): Pick<AutoscalerPlan, 'status' | 'events' | 'history'> {
  if (!rescale) return { status, events: [], history };
  const { from, to, reason } = rescale;
  if (problem !== undefined) {
    const message = `the HPA controller was unable to update the target scale: ${problem}`;
    const failed = { type: 'AbleToScale', status: 'False', reason: 'FailedUpdateScale', message };
    return {
      status: {
        ...status,
        desiredReplicas: autoscaler.status?.desiredReplicas ?? 0,
        currentMetrics: autoscaler.status?.currentMetrics ?? [],
        conditions: withCondition(status.conditions, failed, now),
      },
      events: [
        {
          type: 'Warning',
          reason: 'FailedRescale',
          message: `New size: ${to}; reason: ${reason}; error: ${problem}`,
        },
      ],
      history,
    };
  }
  const message = `the HPA controller was able to update the target scale to ${to}`;
  const done = { type: 'AbleToScale', status: 'True', reason: 'SucceededRescale', message };
  return {
    status: {
      ...status,
      lastScaleTime: timestamp(now),
      conditions: withCondition(status.conditions, done, now),
    },
    events: [{ type: 'Normal', reason: 'SuccessfulRescale', message: `New size: ${to}; reason: ${reason}` }],
    history: withChange(history, { from, to, now, behavior: autoscaler.spec.behavior }),
  };
}

interface Ground {
  readonly status: HorizontalPodAutoscalerStatus;
  readonly history: History;
  readonly minReplicas: number;
}

function planByMetrics(observation: AutoscalerObservation, ground: Ground): AutoscalerPlan {
  const { autoscaler, replicas, now } = observation;
  const { history, minReplicas } = ground;
  const { behavior, maxReplicas: max } = autoscaler.spec;
  const wish = wishOf(observation);
  if ('error' in wish) {
    const { condition, events, error, metrics } = wish;
    return {
      status: {
        ...numbers(ground.status, replicas, autoscaler.status?.desiredReplicas ?? 0),
        currentMetrics: metrics,
        conditions: withCondition(ground.status.conditions, condition, now),
      },
      events: [...events, { type: 'Warning', reason: 'FailedComputeMetricsReplicas', message: error }],
      rescale: undefined,
      history,
    };
  }
  const { desired, metric, metrics, events } = wish;
  const steady = normalize({ current: replicas, desired, min: minReplicas, max, behavior, now }, history);
  const message = `the HPA was able to successfully calculate a replica count from ${metric}`;
  const conditions = [
    { type: 'ScalingActive', status: 'True', reason: 'ValidMetricFound', message },
    { type: 'AbleToScale', status: 'True', ...steady.ableToScale },
    { type: 'ScalingLimited', ...steady.limited },
  ].reduce((list, condition) => withCondition(list, condition, now), ground.status.conditions ?? []);
  const reason =
    desired > replicas ? `${metric} above target` : desired < replicas ? 'All metrics below target' : '';
  const to = steady.replicas;
  return {
    status: { ...numbers(ground.status, replicas, to), currentMetrics: metrics, conditions },
    events,
    rescale: to === replicas ? undefined : { from: replicas, to, reason },
    history: steady.history,
  };
}

type Wish =
  | {
      readonly desired: number;
      readonly metric: string;
      readonly metrics: readonly MetricStatus[];
      readonly events: readonly AutoscalerEvent[];
    }
  | {
      readonly condition: HorizontalPodAutoscalerCondition;
      readonly events: readonly AutoscalerEvent[];
      readonly error: string;
      readonly metrics: readonly MetricStatus[];
    };

type Failure = Extract<Proposal, { readonly error: string }>;

/** The most that any metric asks for. What cannot be read keeps the target from shrinking. */
function wishOf(observation: AutoscalerObservation): Wish {
  const { autoscaler, pods, replicas, statusReplicas, readings, now } = observation;
  if ('problem' in pods) {
    const { reason, problem, conditionReason = reason, conditionMessage = problem } = pods;
    const inactive = { type: 'ScalingActive', status: 'False' };
    return {
      condition: { ...inactive, reason: conditionReason, message: conditionMessage },
      events: [{ type: 'Warning', reason, message: problem }],
      error: problem,
      metrics: [],
    };
  }
  const { scaleUp, scaleDown } = autoscaler.spec.behavior ?? {};
  const tolerances = { up: toleranceOf(scaleUp), down: toleranceOf(scaleDown) };
  const target = { replicas, statusReplicas, pods, tolerances, now };
  const specs = autoscaler.spec.metrics ?? [];
  const unread: Reading = { type: 'problem', problem: 'the metric was not read' };
  const proposals = specs.map((spec, index) => propose(spec, readings[index] ?? unread, target));
  const failures = proposals.filter((one): one is Failure => 'error' in one);
  const metrics = proposals.map((one) => ('error' in one ? { type: '' } : one.status));
  const events = failures.map(({ reason, problem }): AutoscalerEvent => ({
    type: 'Warning',
    reason,
    message: problem,
  }));
  let desired = 0;
  let metric = '';
  for (const one of proposals) {
    if ('error' in one || (metric !== '' && one.replicas <= desired && desired !== 0)) continue;
    desired = one.replicas;
    metric = one.metric;
  }
  const [first] = failures;
  if (first && (failures.length === specs.length || desired < replicas)) {
    const { reason, problem } = first;
    const message = `the HPA was unable to compute the replica count: ${problem}`;
    return {
      condition: { type: 'ScalingActive', status: 'False', reason, message },
      events,
      error: `invalid metrics (${failures.length} invalid out of ${specs.length}), first error is: ${first.error}`,
      metrics,
    };
  }
  return { desired, metric, metrics, events };
}

function toleranceOf(rules: HPAScalingRules | undefined): number {
  if (rules?.tolerance === undefined) return defaultTolerance;
  return Number(parseQuantity(rules.tolerance).nanos) / 1e9;
}

function numbers(
  status: HorizontalPodAutoscalerStatus,
  currentReplicas: number,
  desiredReplicas: number,
): HorizontalPodAutoscalerStatus {
  const { lastScaleTime, conditions } = status;
  return {
    ...(lastScaleTime !== undefined && { lastScaleTime }),
    ...(conditions && { conditions }),
    ...(currentReplicas > 0 && { currentReplicas }),
    desiredReplicas,
    currentMetrics: [],
  };
}

function withStatusCondition(
  { status }: HorizontalPodAutoscaler,
  condition: HorizontalPodAutoscalerCondition,
  now: number,
): HorizontalPodAutoscalerStatus {
  const before = status ?? { desiredReplicas: 0, currentMetrics: [] };
  return { ...before, conditions: withCondition(before.conditions, condition, now) };
}

/** Conditions keep their places; the time of one changes with its status only. */
function withCondition(
  conditions: readonly HorizontalPodAutoscalerCondition[] = [],
  next: HorizontalPodAutoscalerCondition,
  now: number,
): readonly HorizontalPodAutoscalerCondition[] {
  const { type, status } = next;
  const current = conditions.find((condition) => condition.type === type);
  const since = current?.status === status ? current.lastTransitionTime : undefined;
  const condition = { ...next, lastTransitionTime: since ?? timestamp(now) };
  return current
    ? conditions.map((other) => (other.type === type ? condition : other))
    : [...conditions, condition];
}
