import type { HorizontalPodAutoscalerBehavior, HPAScalingRules } from '../../api/autoscaling/v2.gen.ts';

/** What an autoscaler remembers between looks at its target; times are milliseconds since the epoch. */
export interface History {
  readonly recommendations: readonly { readonly at: number; readonly replicas: number }[];
  /** By how many replicas the target has grown and shrunk. */
  readonly grown: readonly Change[];
  readonly shrunk: readonly Change[];
}

interface Change {
  readonly at: number;
  readonly by: number;
}

/** What metrics ask for, before it is made steady. */
export interface Wish {
  readonly current: number;
  readonly desired: number;
  readonly min: number;
  readonly max: number;
  readonly behavior: HorizontalPodAutoscalerBehavior | undefined;
  readonly now: number;
}

interface Reason {
  readonly reason: string;
  readonly message: string;
}

export interface Normalized {
  readonly replicas: number;
  readonly history: History;
  readonly ableToScale: Reason;
  readonly limited: Reason & { readonly status: 'True' | 'False' };
}

/** kube-controller-manager's `--horizontal-pod-autoscaler-downscale-stabilization`. */
const downscaleWindowSeconds = 300;

/** What a new autoscaler remembers. */
export function newHistory(replicas: number, now: number): History {
  return { recommendations: [{ at: now, replicas }], grown: [], shrunk: [] };
}

/** Makes a wish steady: the windows of stabilization, then the policies, then the bounds. */
export function normalize(wish: Wish, history: History): Normalized {
  const { desired, now } = wish;
  const steady = wish.behavior ? stabilizeBoth(wish, history) : stabilizeDown(wish, history);
  const bounded = wish.behavior
    ? boundByPolicies({ ...wish, desired: steady.replicas }, history)
    : boundByFactor({ ...wish, desired: steady.replicas });
  const ready = { reason: 'ReadyForNewScale', message: 'recommended size matches current size' };
  const kept = history.recommendations.filter(({ at }) => at >= now - steady.keepSeconds * 1000);
  return {
    replicas: bounded.replicas,
    ableToScale: steady.replicas === desired ? ready : steady.held,
    limited: {
      status: bounded.replicas === steady.replicas ? 'False' : 'True',
      reason: bounded.reason,
      message: bounded.message,
    },
    history: { ...history, recommendations: [...kept, { at: now, replicas: desired }] },
  };
}

interface Steady {
  readonly replicas: number;
  readonly held: Reason;
  readonly keepSeconds: number;
}

const heldDown: Reason = {
  reason: 'ScaleDownStabilized',
  message: 'recent recommendations were higher than current one, applying the highest recent recommendation',
};
const heldUp: Reason = {
  reason: 'ScaleUpStabilized',
  message: 'recent recommendations were lower than current one, applying the lowest recent recommendation',
};

function stabilizeDown({ desired, now }: Wish, { recommendations }: History): Steady {
  const recent = recommendations.filter(({ at }) => at >= now - downscaleWindowSeconds * 1000);
  const replicas = Math.max(desired, ...recent.map((one) => one.replicas));
  return { replicas, held: heldDown, keepSeconds: downscaleWindowSeconds };
}

/** The target stays where it is unless all recent recommendations would have it move. */
function stabilizeBoth({ desired, current, behavior, now }: Wish, { recommendations }: History): Steady {
  const upSeconds = behavior?.scaleUp?.stabilizationWindowSeconds ?? 0;
  const downSeconds = behavior?.scaleDown?.stabilizationWindowSeconds ?? downscaleWindowSeconds;
  const within = (seconds: number): number[] =>
    recommendations.filter(({ at }) => at > now - seconds * 1000).map(({ replicas }) => replicas);
  const lowest = Math.min(desired, ...within(upSeconds));
  const highest = Math.max(desired, ...within(downSeconds));
  return {
    replicas: Math.min(Math.max(current, lowest), highest),
    held: desired >= current ? heldUp : heldDown,
    keepSeconds: Math.max(upSeconds, downSeconds),
  };
}

type Bounded = Reason & { readonly replicas: number };

const tooFast: Reason = {
  reason: 'ScaleUpLimit',
  message: 'the desired replica count is increasing faster than the maximum scale rate',
};
const tooMany: Reason = {
  reason: 'TooManyReplicas',
  message: 'the desired replica count is more than the maximum replica count',
};
const tooFew: Reason = {
  reason: 'TooFewReplicas',
  message: 'the desired replica count is less than the minimum replica count',
};
const tooFastDown: Reason = {
  reason: 'ScaleDownLimit',
  message: 'the desired replica count is decreasing faster than the maximum scale rate',
};
const withinRange: Reason = {
  reason: 'DesiredWithinRange',
  message: 'the desired count is within the acceptable range',
};

/** Without a behavior, a target at most doubles, or grows to four. */
function boundByFactor({ desired, current, min, max }: Wish): Bounded {
  const limit = Math.max(2 * current, 4);
  if (desired < min) return { replicas: min, ...tooFew };
  if (desired > Math.min(limit, max)) {
    return max > limit ? { replicas: limit, ...tooFast } : { replicas: max, ...tooMany };
  }
  return { replicas: desired, ...withinRange };
}

function boundByPolicies(wish: Wish, { grown, shrunk }: History): Bounded {
  const { desired, current, min, max, behavior, now } = wish;
  const changes = { current, grown, shrunk, now };
  if (desired > current) {
    const limit = Math.max(current, upLimit(changes, behavior?.scaleUp));
    if (desired > Math.min(limit, max)) {
      return max > limit ? { replicas: limit, ...tooFast } : { replicas: max, ...tooMany };
    }
  } else if (desired < current) {
    const limit = Math.min(current, downLimit(changes, behavior?.scaleDown));
    if (desired < Math.max(limit, min)) {
      return min < limit ? { replicas: limit, ...tooFastDown } : { replicas: min, ...tooFew };
    }
  }
  return { replicas: desired, ...withinRange };
}

interface Changes {
  readonly current: number;
  readonly grown: readonly Change[];
  readonly shrunk: readonly Change[];
  readonly now: number;
}

function upLimit(changes: Changes, rules: HPAScalingRules | undefined): number {
  const { current } = changes;
  if (rules?.selectPolicy === 'Disabled') return current;
  const limits = (rules?.policies ?? []).map(({ type, value, periodSeconds }) => {
    const start = periodStart(changes, periodSeconds);
    return type === 'Pods' ? start + value : Math.ceil(start * (1 + value / 100));
  });
  return rules?.selectPolicy === 'Min' ? Math.min(...limits) : Math.max(...limits);
}

function downLimit(changes: Changes, rules: HPAScalingRules | undefined): number {
  const { current } = changes;
  if (rules?.selectPolicy === 'Disabled') return current;
  const limits = (rules?.policies ?? []).map(({ type, value, periodSeconds }) => {
    const start = periodStart(changes, periodSeconds);
    return type === 'Pods' ? start - value : Math.trunc(start * (1 - value / 100));
  });
  return rules?.selectPolicy === 'Min' ? Math.max(...limits) : Math.min(...limits);
}

/** How many replicas there were when the period began. */
function periodStart({ current, grown, shrunk, now }: Changes, periodSeconds: number): number {
  const within = ({ at }: Change): boolean => at > now - periodSeconds * 1000;
  const sum = (changes: readonly Change[]): number =>
    changes.filter(within).reduce((total, { by }) => total + by, 0);
  return current - sum(grown) + sum(shrunk);
}

/** What is remembered once the target has been scaled. */
export function withChange(
  history: History,
  {
    from,
    to,
    now,
    behavior,
  }: {
    readonly from: number;
    readonly to: number;
    readonly now: number;
    readonly behavior: HorizontalPodAutoscalerBehavior | undefined;
  },
): History {
  if (!behavior || from === to) return history;
  const rules = to > from ? behavior.scaleUp : behavior.scaleDown;
  const longest = Math.max(0, ...(rules?.policies ?? []).map(({ periodSeconds }) => periodSeconds));
  const kept = (changes: readonly Change[]): Change[] =>
    changes.filter(({ at }) => at >= now - longest * 1000);
  return to > from
    ? { ...history, grown: [...kept(history.grown), { at: now, by: to - from }] }
    : { ...history, shrunk: [...kept(history.shrunk), { at: now, by: from - to }] };
}
