import type { DeepMutable } from '../../../machinery/object.ts';
import type { StrategyContext } from '../../resource.ts';
import type { PodSpec } from '../v1.gen.ts';

/**
 * Drops what only upstream's feature gates that are off would keep: stop signals, if they are; scheduling groups, and volumes of
 * trust bundles and of certificates for pods.
 */
export function dropDisabledFields(
  spec: DeepMutable<PodSpec>,
  { features }: Pick<StrategyContext, 'features'>,
): void {
  delete spec.schedulingGroup;
  for (const source of (spec.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? [])) {
    delete source.clusterTrustBundle;
    delete source.podCertificate;
  }
  if (features?.has('ContainerStopSignals') === true) return;
  const lists = [spec.initContainers, spec.containers, spec.ephemeralContainers];
  for (const container of lists.flatMap((list) => list ?? [])) {
    if (container.lifecycle?.stopSignal === undefined) continue;
    delete container.lifecycle.stopSignal;
    if (Object.keys(container.lifecycle).length === 0) delete container.lifecycle;
  }
}
