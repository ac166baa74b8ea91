import type { Clock } from '../../base/clock.ts';
import type { Distribution } from '../../base/metrics/histogram.ts';
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
  const ofPlugins = new Map<string, Map<string, Distribution>>();
  const admitted = (name: string, step: string, operation: string): Distribution => {
    let known = ofPlugins.get(name);
    if (!known) ofPlugins.set(name, (known = new Map()));
    const key = step === 'admit' ? operation : `${step} ${operation}`;
    let found = known.get(key);
    if (!found) known.set(key, (found = plugins.labels(name, step, operation, 'false')));
    return found;
  };
  return {
    now: () => clock.monotonic(),
    plugin: ({ name, step, operation, rejected, startedAt }) => {
      const found = rejected
        ? plugins.labels(name, step, operation, 'true')
        : admitted(name, step, operation);
      found.observe((clock.monotonic() - startedAt) / 1000);
    },
    step: ({ step, operation, rejected, startedAt }) =>
      steps.labels(step, operation, String(rejected)).observe((clock.monotonic() - startedAt) / 1000),
  };
}
