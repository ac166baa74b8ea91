import type { Node, Pod } from '../../../api/core/v1.gen.ts';
import type { NodeUsage, PodUsage, Usage, UsageSource } from '../../../api/metrics/usage.ts';
import type { Clock } from '../../../base/clock.ts';
import type { Live } from '../../../machinery/object.ts';
import type { SimulatedUsage } from './simulated-usage.ts';

export interface MeasuredUsageOptions {
  /** The simulated nodes as they are now. */
  nodes(): readonly Live<Node>[];
  /** The pods on one of them. */
  podsOn(node: string): readonly Live<Pod>[];
  readonly usage: Pick<SimulatedUsage, 'containerUsage'>;
  readonly clock: Clock;
}

/** How long a simulated measurement claims to have taken, in milliseconds. */
const windowMs = 10_000;

/** What simulated pods use by the resources that say so, as a metrics server would have measured it. */
export function measuredUsage({ nodes, podsOn, usage, clock }: MeasuredUsageOptions): UsageSource {
  return {
    nodes: () =>
      nodes().flatMap(({ metadata: { name, labels = {} } }): readonly NodeUsage[] => {
        const containers = podsOn(name).flatMap((pod) => containersOf(pod));
        if (containers.length === 0) return [];
        return [{ node: name, labels, at: clock.now(), windowMs, ...total(containers) }];
      }),
    pods: () =>
      nodes().flatMap(({ metadata: { name } }) =>
        podsOn(name).flatMap((pod): readonly PodUsage[] => {
          const containers = containersOf(pod);
          if (containers.length === 0) return [];
          const { namespace = '', name: podName, labels = {} } = pod.metadata;
          return [{ namespace, pod: podName, labels, at: clock.now(), windowMs, containers }];
        }),
      ),
  };

  function containersOf(pod: Live<Pod>): readonly (Usage & { readonly name: string })[] {
    if (pod.status?.phase !== 'Running') return [];
    return pod.spec.containers.flatMap(({ name }) => {
      const cpu = usage.containerUsage(pod, name, 'cpu');
      const memory = usage.containerUsage(pod, name, 'memory');
      if (cpu === undefined && memory === undefined) return [];
      return [{ name, cpuNanocores: Math.round((cpu ?? 0) * 1e9), memoryBytes: Math.round(memory ?? 0) }];
    });
  }
}

function total(containers: readonly Usage[]): Usage {
  return {
    cpuNanocores: containers.reduce((sum, { cpuNanocores }) => sum + cpuNanocores, 0),
    memoryBytes: containers.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
  };
}
