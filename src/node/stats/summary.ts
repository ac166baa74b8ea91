import { timestamp } from '../../base/clock.ts';
import type { Pod } from '../../api/core/v1.gen.ts';
import type { Live } from '../../machinery/object.ts';
import type { VolumeStats } from '../volumes/volume-stats.ts';
import { usageOf, type Measured, type MeasuredContainer, type UsageSampler } from './usage-sampler.ts';

export interface SummaryOptions {
  readonly nodeName: string;
  /** Milliseconds since the epoch: when the node's agent began. */
  readonly startedAt: number;
  readonly sampler: UsageSampler;
  pods(): readonly Live<Pod>[];
  volumes(podUid: string): readonly VolumeStats[];
}

function cpuAndMemory(measured: Measured): object {
  const { latest } = measured;
  const time = timestamp(latest.at);
  return {
    cpu: {
      time,
      usageNanoCores: Math.round(usageOf(measured).cpuNanocores),
      usageCoreNanoSeconds: Math.round(latest.cpuNanoseconds),
    },
    memory: {
      time,
      ...('memoryUsageBytes' in latest && { usageBytes: latest.memoryUsageBytes }),
      workingSetBytes: latest.memoryWorkingSetBytes,
    },
  };
}

function containerSummary(measured: MeasuredContainer): object {
  const { name, startedAt, createdAt } = measured.status;
  return { name, startTime: timestamp(startedAt ?? createdAt), ...cpuAndMemory(measured) };
}

/** All containers together. */
function podTotal(own: readonly MeasuredContainer[]): object {
  const add = (of: (one: MeasuredContainer) => number): number => own.reduce((all, one) => all + of(one), 0);
  const time = timestamp(Math.max(...own.map(({ latest }) => latest.at)));
  return {
    cpu: {
      time,
      usageNanoCores: Math.round(add((one) => usageOf(one).cpuNanocores)),
      usageCoreNanoSeconds: Math.round(add(({ latest }) => latest.cpuNanoseconds)),
    },
    memory: {
      time,
      usageBytes: add(({ latest }) => latest.memoryUsageBytes),
      workingSetBytes: add(({ latest }) => latest.memoryWorkingSetBytes),
    },
    process_stats: { process_count: add(({ latest }) => latest.pids ?? 0) },
  };
}

/** What `/stats/summary` answers (`k8s.io/kubelet/pkg/apis/stats/v1alpha1` Summary): processors, memory, processes. */
export function statsSummary({ nodeName, startedAt, sampler, pods, volumes }: SummaryOptions): object {
  const node = sampler.node();
  const containers = sampler.containers();
  return {
    node: { nodeName, startTime: timestamp(startedAt), ...(node && cpuAndMemory(node)) },
    pods: pods().flatMap((pod) => {
      const own = containers.get(pod.metadata.uid) ?? [];
      if (own.length === 0) return [];
      const { name, namespace, uid } = pod.metadata;
      const measured = volumes(uid);
      return {
        podRef: { name, namespace, uid },
        ...(pod.status?.startTime !== undefined && { startTime: pod.status.startTime }),
        containers: own.map(containerSummary),
        ...podTotal(own),
        ...(measured.length > 0 && { volume: measured }),
      };
    }),
  };
}
