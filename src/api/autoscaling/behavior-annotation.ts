import { isObject } from '../../machinery/patch/json-value.ts';
import type { DeepMutable } from '../../machinery/object.ts';
import type { HorizontalPodAutoscalerBehavior, HPAScalingPolicy, HPAScalingRules } from './v2.gen.ts';

type Behavior = DeepMutable<HorizontalPodAutoscalerBehavior>;
type Rules = DeepMutable<HPAScalingRules>;

function printedRules(rules: HPAScalingRules | undefined): unknown {
  if (!rules) return null;
  return {
    StabilizationWindowSeconds: rules.stabilizationWindowSeconds ?? null,
    SelectPolicy: rules.selectPolicy ?? null,
    Policies:
      rules.policies?.map(({ type, value, periodSeconds }) => ({
        Type: type,
        Value: value,
        PeriodSeconds: periodSeconds,
      })) ?? null,
    Tolerance: rules.tolerance ?? null,
  };
}

/** The annotation in which autoscaling/v1 shows a behavior: JSON with the names of Go's fields. */
export function printBehavior({ scaleUp, scaleDown }: HorizontalPodAutoscalerBehavior): string {
  return JSON.stringify({ ScaleUp: printedRules(scaleUp), ScaleDown: printedRules(scaleDown) });
}

/** The member of that name; Go reads names in any case. */
function member(object: Readonly<Record<string, unknown>>, name: string): unknown {
  const key = Object.keys(object).findLast((one) => one.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : object[key];
}

function policyOf(value: unknown): DeepMutable<HPAScalingPolicy> {
  const policy = isObject(value) ? value : {};
  const type = member(policy, 'Type');
  return {
    type: typeof type === 'string' ? type : '',
    value: Number(member(policy, 'Value') ?? 0),
    periodSeconds: Number(member(policy, 'PeriodSeconds') ?? 0),
  };
}

function rulesOf(value: unknown): Rules | undefined {
  if (!isObject(value)) return undefined;
  const window = member(value, 'StabilizationWindowSeconds');
  const select = member(value, 'SelectPolicy');
  const policies = member(value, 'Policies');
  const tolerance = member(value, 'Tolerance');
  return {
    ...(typeof window === 'number' && { stabilizationWindowSeconds: window }),
    ...(typeof select === 'string' && { selectPolicy: select }),
    ...(Array.isArray(policies) && { policies: policies.map(policyOf) }),
    ...((typeof tolerance === 'string' || typeof tolerance === 'number') && { tolerance: String(tolerance) }),
  };
}

/** Reads {@link printBehavior}'s text. */
export function behaviorOf(value: Readonly<Record<string, unknown>>): Behavior {
  const scaleUp = rulesOf(member(value, 'ScaleUp'));
  const scaleDown = rulesOf(member(value, 'ScaleDown'));
  return { ...(scaleUp && { scaleUp }), ...(scaleDown && { scaleDown }) };
}
