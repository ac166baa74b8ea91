import { featureGates, featureStages, type FeatureGate } from '../../api/feature-gates.ts';
import type { MetricRegistry } from '../../base/metrics/registry.ts';
import type { ComponentPages } from '../http/component-pages.ts';

/** Says which version runs, which it stands for, and which feature gates are on. */
export function versionMetrics(
  registry: MetricRegistry,
  version: ComponentPages['version'],
  on: ReadonlySet<FeatureGate> | undefined,
): void {
  const [, major = '', minor = ''] = /^v?(\d+)\.(\d+)/.exec(version.gitVersion) ?? [];
  const { emulationMajor = major, emulationMinor = minor } = version;
  const { minCompatibilityMajor = major, minCompatibilityMinor = minor } = version;
  registry
    .gauge({
      name: 'version_info',
      help: '[ALPHA] Versions of the program, of what it stands for, and of the oldest that it goes with.',
      labels: ['binary', 'component', 'emulation', 'min_compat'],
    })
    .labels(
      `${major}.${minor}`,
      'kube',
      `${emulationMajor}.${emulationMinor}`,
      `${minCompatibilityMajor}.${minCompatibilityMinor}`,
    )
    .set(1);
  const gates = registry.gauge({
    name: 'kubernetes_feature_enabled',
    help: '[BETA] Feature gates that can be switched: 1 for those that are on.',
    labels: ['name', 'stage'],
  });
  for (const gate of featureGates) gates.labels(gate, featureStages[gate]).set(on?.has(gate) ? 1 : 0);
}
