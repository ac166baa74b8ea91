import type { Clock } from '../../base/clock.ts';
import type { MetricRegistry } from '../../base/metrics/registry.ts';
import type { AdmissionObserver } from '../admission/admission-chain.ts';

const buckets = [0.005, 0.025, 0.1, 0.5, 1, 2.5];

/** How long the steps of admission and their plug-ins take, under upstream's names. */
export function admissionMetrics(registry: MetricRegistry, clock: Clock): AdmissionObserver {
  const plugins = registry.histogram({
    name: 'apiserver_admission_controller_admission_duration_seconds',
    help: '[STABLE] How long admission plug-ins take, in seconds.',
    labels: ['name', 'type', 'operation', 'rejected'],
    buckets,
  });
  const steps = registry.histogram({
    name: 'apiserver_admission_step_admission_duration_seconds',
    help: '[STABLE] How long a step of admission takes with all its plug-ins, in seconds.',
    labels: ['type', 'operation', 'rejected'],
    buckets,
  });
  return {
    now: () => clock.monotonic(),
    plugin: ({ name, step, operation, rejected, startedAt }) =>
      plugins.labels(name, step, operation, String(rejected)).observe((clock.monotonic() - startedAt) / 1000),
    step: ({ step, operation, rejected, startedAt }) =>
      steps.labels(step, operation, String(rejected)).observe((clock.monotonic() - startedAt) / 1000),
  };
}
