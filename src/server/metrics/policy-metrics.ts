import type { MetricRegistry } from '../../base/metrics/registry.ts';
import type { CelObserver } from '../../machinery/cel/cel-observer.ts';
import type { PolicyObserver } from '../admission/policies/policy-observer.ts';

/** Counts what validating policies object to and what is done about it, under upstream's names. */
export function policyMetrics(registry: MetricRegistry, cel: CelObserver): PolicyObserver {
  const labels = ['policy', 'policy_binding', 'error_type', 'enforcement_action'];
  const total = registry.counter({
    name: 'apiserver_validating_admission_policy_check_total',
    help: '[BETA] Expressions of policies that did not come out true, by what was done about it.',
    labels,
  });
  const durations = registry.histogram({
    name: 'apiserver_validating_admission_policy_check_duration_seconds',
    help: '[BETA] How long policies take whose expressions did not come out true, in seconds.',
    labels,
    buckets: [5e-7, 0.001, 0.01, 0.1, 1],
  });
  return {
    ...cel,
    checked({ policy, binding, fault, action, ms }) {
      total.labels(policy, binding, fault, action).add();
      durations.labels(policy, binding, fault, action).observe(ms / 1000);
    },
  };
}
