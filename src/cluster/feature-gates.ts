import type { FeatureGate } from '../api/feature-gates.ts';
import { featureGates } from '../api/feature-gates.ts';
import { ClusterError } from './cluster-error.ts';

/**
 * Reads kube-apiserver's `--feature-gates` (`ContainerStopSignals=true`): the gates that are on. Throws `INVALID_OPTION` for
 * gates that are not known here, and for other values than true and false.
 */
export function readFeatureGates(settings: readonly string[]): ReadonlySet<FeatureGate> {
  const on = new Set<FeatureGate>();
  for (const setting of settings) {
    const [name = '', value] = setting.split('=');
    const gate = featureGates.find((known) => known === name);
    if (gate === undefined)
      throw new ClusterError(
        'INVALID_OPTION',
        `--feature-gates ${JSON.stringify(setting)}: unrecognized feature gate: ${name}; those that can be switched are ${featureGates.join(', ')}`,
      );
    if (value !== 'true' && value !== 'false')
      throw new ClusterError(
        'INVALID_OPTION',
        `--feature-gates ${JSON.stringify(setting)}: invalid value of ${name}: it is ${name}=true or ${name}=false`,
      );
    if (value === 'true') on.add(gate);
    else on.delete(gate);
  }
  return on;
}
