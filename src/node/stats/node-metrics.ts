import { cpus, totalmem } from 'node:os';
import type { Pod } from '../../api/core/v1.gen.ts';
import { MetricRegistry } from '../../base/metrics/registry.ts';
import type { Live } from '../../machinery/object.ts';
import { PROBE_LABELS, type ProbeCounts } from '../probes/probe-counts.ts';
import type { VolumeStats } from '../volumes/volume-stats.ts';
import type { MeasuredContainer, UsageSampler } from './usage-sampler.ts';

export interface NodeMetricsOptions {
  readonly nodeName: string;
  readonly sampler: UsageSampler;
  readonly probes: ProbeCounts;
  volumes(podUid: string): readonly VolumeStats[];
  pods(): readonly Live<Pod>[];
}

/** The pages of a node's endpoint that Prometheus reads. */
export interface NodeMetricPages {
  /** The node agent's own numbers. */
  readonly agent: MetricRegistry;
  /** Use of processors and memory by node, pod and container. */
  readonly resource: MetricRegistry;
  /** Use by container under the names that cAdvisor gave it. */
  readonly cadvisor: MetricRegistry;
  /** Results of probes. */
  readonly probes: MetricRegistry;
}

type Row = readonly [readonly string[], number];
type Placed = MeasuredContainer & { readonly namespace: string; readonly pod: string };

const seconds = (nanoseconds: number): number => nanoseconds / 1e9;
const containerLabels = ['container', 'namespace', 'pod'];
const cadvisorLabels = ['container', 'id', 'image', 'name', 'namespace', 'pod'];

/** Under the names that the kubelet has for them (its stable metrics, and cAdvisor's where those have none). */
export function nodeMetricPages(options: NodeMetricsOptions): NodeMetricPages {
  const placed = (): Placed[] => {
    const containers = options.sampler.containers();
    return options.pods().flatMap(({ metadata }) =>
      (containers.get(metadata.uid) ?? []).map((one) => ({
        ...one,
        namespace: metadata.namespace ?? '',
        pod: metadata.name,
      })),
    );
  };
  return {
    agent: agentPage(options),
    resource: resourcePage(options, placed),
    cadvisor: cadvisorPage(placed),
    probes: probesPage(options),
  };
}

function probesPage({ probes }: NodeMetricsOptions): MetricRegistry {
  const page = new MetricRegistry();
  const definition = {
    name: 'prober_probe_total',
    help: 'Attempts of probes by what they came to.',
    labels: PROBE_LABELS,
  };
  page.reading('counter', definition, () => probes.rows());
  return page;
}

/** What is told of the volumes of claims. */
const claimMetrics: readonly (readonly [
  name: string,
  help: string,
  read: (volume: VolumeStats) => number | undefined,
])[] = [
  ['capacity_bytes', 'Size of the volume of a claim.', ({ capacityBytes }) => capacityBytes],
  ['available_bytes', 'Free space in the volume of a claim.', ({ availableBytes }) => availableBytes],
  ['used_bytes', 'Space taken in the volume of a claim.', ({ usedBytes }) => usedBytes],
  ['inodes', 'Inodes of the volume of a claim.', ({ inodes }) => inodes],
  ['inodes_free', 'Free inodes in the volume of a claim.', ({ inodesFree }) => inodesFree],
  ['inodes_used', 'Inodes taken in the volume of a claim.', ({ inodesUsed }) => inodesUsed],
];

function agentPage({ nodeName, sampler, pods, volumes }: NodeMetricsOptions): MetricRegistry {
  const page = new MetricRegistry();
  page.reading('gauge', { name: 'kubelet_node_name', help: "The node's name.", labels: ['node'] }, () => [
    [[nodeName], 1],
  ]);
  page.reading('gauge', { name: 'kubelet_running_pods', help: 'Pods that have a running container.' }, () => [
    [[], pods().filter(({ metadata }) => sampler.containers().has(metadata.uid)).length],
  ]);
  page.reading(
    'gauge',
    { name: 'kubelet_running_containers', help: 'Running containers.', labels: ['container_state'] },
    () => [[['running'], [...sampler.containers().values()].flat().length]],
  );
  for (const [name, help, read] of claimMetrics) {
    const labels = ['namespace', 'persistentvolumeclaim'];
    page.reading('gauge', { name: `kubelet_volume_stats_${name}`, help, labels }, () =>
      pods().flatMap(({ metadata }) =>
        volumes(metadata.uid).flatMap((volume): Row[] => {
          const value = read(volume);
          const { pvcRef } = volume;
          return pvcRef && value !== undefined ? [[[pvcRef.namespace, pvcRef.name], value]] : [];
        }),
      ),
    );
  }
  return page;
}

function resourcePage({ sampler }: NodeMetricsOptions, placed: () => Placed[]): MetricRegistry {
  const page = new MetricRegistry();
  const perContainer = (read: (one: Placed) => number) => (): Row[] =>
    placed().map((one) => [[one.status.name, one.namespace, one.pod], read(one)]);
  const perPod = (read: (one: Placed) => number) => (): Row[] => {
    const rows = new Map<string, { readonly labels: readonly string[]; sum: number }>();
    for (const one of placed()) {
      const row = rows.get(one.status.podUid) ?? { labels: [one.namespace, one.pod], sum: 0 };
      row.sum += read(one);
      rows.set(one.status.podUid, row);
    }
    return [...rows.values()].map(({ labels, sum }) => [labels, sum]);
  };
  const cpu = ({ latest }: Placed): number => seconds(latest.cpuNanoseconds);
  const memory = ({ latest }: Placed): number => latest.memoryWorkingSetBytes;
  const node = (read: (latest: { cpuNanoseconds: number; memoryWorkingSetBytes: number }) => number) =>
    function* rows(): Iterable<Row> {
      const measured = sampler.node();
      if (measured) yield [[], read(measured.latest)];
    };
  const podLabels = ['namespace', 'pod'];
  page.reading(
    'counter',
    {
      name: 'container_cpu_usage_seconds_total',
      help: 'Processor time of a container, in seconds.',
      labels: containerLabels,
    },
    perContainer(cpu),
  );
  page.reading(
    'gauge',
    {
      name: 'container_memory_working_set_bytes',
      help: 'Working set of a container, in bytes.',
      labels: containerLabels,
    },
    perContainer(memory),
  );
  page.reading(
    'gauge',
    {
      name: 'container_start_time_seconds',
      help: 'When a container started, in seconds since the epoch.',
      labels: containerLabels,
    },
    perContainer(startSeconds),
  );
  page.reading(
    'counter',
    { name: 'node_cpu_usage_seconds_total', help: 'Processor time of the node, in seconds.' },
    node(({ cpuNanoseconds }) => seconds(cpuNanoseconds)),
  );
  page.reading(
    'gauge',
    { name: 'node_memory_working_set_bytes', help: 'Working set of the node, in bytes.' },
    node(({ memoryWorkingSetBytes }) => memoryWorkingSetBytes),
  );
  page.reading(
    'counter',
    {
      name: 'pod_cpu_usage_seconds_total',
      help: 'Processor time of a pod, in seconds.',
      labels: podLabels,
    },
    perPod(cpu),
  );
  page.reading(
    'gauge',
    { name: 'pod_memory_working_set_bytes', help: 'Working set of a pod, in bytes.', labels: podLabels },
    perPod(memory),
  );
  page.reading(
    'gauge',
    { name: 'resource_scrape_error', help: '1 when a measurement failed, else 0.' },
    () => [[[], sampler.node() ? 0 : 1]],
  );
  return page;
}

function cadvisorPage(placed: () => Placed[]): MetricRegistry {
  const page = new MetricRegistry();
  const rows = (read: (one: Placed) => number) => (): Row[] =>
    placed().map((one) => {
      const { id, name, image } = one.status;
      return [[name, id, image, id, one.namespace, one.pod], read(one)];
    });
  page.reading(
    'counter',
    {
      name: 'container_cpu_usage_seconds_total',
      help: 'Processor time of a container, in seconds.',
      labels: cadvisorLabels,
    },
    rows(({ latest }) => seconds(latest.cpuNanoseconds)),
  );
  page.reading(
    'gauge',
    {
      name: 'container_memory_usage_bytes',
      help: 'Memory of a container with its caches, in bytes.',
      labels: cadvisorLabels,
    },
    rows(({ latest }) => latest.memoryUsageBytes),
  );
  page.reading(
    'gauge',
    {
      name: 'container_memory_working_set_bytes',
      help: 'Working set of a container, in bytes.',
      labels: cadvisorLabels,
    },
    rows(({ latest }) => latest.memoryWorkingSetBytes),
  );
  page.reading(
    'gauge',
    { name: 'container_processes', help: 'Processes of a container.', labels: cadvisorLabels },
    rows(({ latest }) => latest.pids ?? 0),
  );
  page.reading(
    'gauge',
    {
      name: 'container_start_time_seconds',
      help: 'When a container started, in seconds since the epoch.',
      labels: cadvisorLabels,
    },
    rows(startSeconds),
  );
  page.reading('gauge', { name: 'machine_cpu_cores', help: 'Processors of the machine.' }, () => [
    [[], cpus().length],
  ]);
  page.reading('gauge', { name: 'machine_memory_bytes', help: 'Memory of the machine.' }, () => [
    [[], totalmem()],
  ]);
  return page;
}

function startSeconds({ status }: Placed): number {
  return (status.startedAt ?? status.createdAt) / 1000;
}
