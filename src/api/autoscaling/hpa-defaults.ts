import type { DeepMutable } from '../../machinery/object.ts';
import type { HorizontalPodAutoscaler, HPAScalingRules } from './v2.gen.ts';

const periodSeconds = 15;

function scaleUpRules(given: DeepMutable<HPAScalingRules> | undefined): DeepMutable<HPAScalingRules> {
  return {
    stabilizationWindowSeconds: 0,
    selectPolicy: 'Max',
    policies: [
      { type: 'Pods', value: 4, periodSeconds },
      { type: 'Percent', value: 100, periodSeconds },
    ],
    ...given,
  };
}

function scaleDownRules(given: DeepMutable<HPAScalingRules> | undefined): DeepMutable<HPAScalingRules> {
  return { selectPolicy: 'Max', policies: [{ type: 'Percent', value: 100, periodSeconds }], ...given };
}

/** Sets the defaults of an autoscaler in the form of v2: one replica at least, 80 % of the CPU, whole rules. */
export function defaultAutoscaler(autoscaler: DeepMutable<HorizontalPodAutoscaler>): void {
  autoscaler.spec ??= {} as typeof autoscaler.spec;
  const { spec } = autoscaler;
  spec.scaleTargetRef = {
    ...spec.scaleTargetRef,
    kind: spec.scaleTargetRef?.kind ?? '',
    name: spec.scaleTargetRef?.name ?? '',
  };
  spec.maxReplicas ??= 0;
  spec.minReplicas ??= 1;
  if (!spec.metrics?.length) {
    const target = { type: 'Utilization', averageUtilization: 80 };
    spec.metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }];
  }
  if (spec.behavior) {
    spec.behavior = {
      scaleUp: scaleUpRules(spec.behavior.scaleUp),
      scaleDown: scaleDownRules(spec.behavior.scaleDown),
    };
  }
  Object.assign(autoscaler, {
    status: { ...autoscaler.status, desiredReplicas: autoscaler.status?.desiredReplicas ?? 0 },
  });
}
