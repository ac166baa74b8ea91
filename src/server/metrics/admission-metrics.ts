import type { Clock } from '../../base/clock.ts';
import type { Distribution } from '../../base/metrics/histogram.ts';
import type { Observations } from '../../base/metrics/summary.ts';
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
  const summaries = registry.summary({
    name: 'apiserver_admission_step_admission_duration_seconds_summary',
    help: '[ALPHA] How long a step of admission took lately with all its plug-ins, in seconds.',
    labels: ['type', 'operation', 'rejected'],
    quantiles: [0.5, 0.9, 0.99],
    maxAgeMs: 5 * 60 * 60 * 1000,
    clock,
  });
  const ofSteps = new Map<string, { readonly times: Distribution; readonly recent: Observations }>();
  const stepped = (
    step: string,
    operation: string,
    rejected: string,
  ): { times: Distribution; recent: Observations } => {
    const key = `${step} ${operation} ${rejected}`;
    let found = ofSteps.get(key);
    if (!found) {
      const values = [step, operation, rejected];
      ofSteps.set(key, (found = { times: steps.labels(...values), recent: summaries.labels(...values) }));
    }
    return found;
  };
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
    step({ step, operation, rejected, startedAt }) {
      const seconds = (clock.monotonic() - startedAt) / 1000;
      const { times, recent } = stepped(step, operation, String(rejected));
      times.observe(seconds);
      recent.observe(seconds);
    },
  };
}
