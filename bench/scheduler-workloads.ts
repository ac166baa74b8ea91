import type { Pod, PodSpec } from '../src/api/core/v1.gen.ts';

/** One of upstream's scheduler_perf workloads, with fewer pods where upstream has tens of thousands. */
export interface Workload {
  readonly name: string;
  /** Pods that are there before. */
  before?(nodes: number): readonly Pod[];
  /** Of those, the ones that are meant never to be placed. */
  stays?(pod: Pod): boolean;
  /** Pods that are measured. */
  pods(nodes: number): readonly Pod[];
}

const zone = 'topology.kubernetes.io/zone';
const measured = 2_000;

/** A pod that asks for 100m and 500 MiB, as scheduler_perf's default. */
export function podOf(
  name: string,
  spec: Partial<PodSpec> = {},
  {
    labels = {},
    namespace = 'sched-0',
  }: { labels?: Readonly<Record<string, string>>; namespace?: string } = {},
): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: { containers: [containerOf('100m', '500Mi')], terminationGracePeriodSeconds: 0, ...spec },
  };
}

function containerOf(cpu: string, memory: string): PodSpec['containers'][number] {
  return {
    name: 'pause',
    image: 'registry.k8s.io/pause:3.10',
    ports: [{ containerPort: 80 }],
    resources: { limits: { cpu, memory }, requests: { cpu, memory } },
  };
}

function times(count: number, make: (index: number) => Pod): readonly Pod[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

const basics = (): readonly Pod[] => times(measured, (index) => podOf(`p-${index}`));
const earlier = (): readonly Pod[] => times(1_000, (index) => podOf(`before-${index}`));

function affine(
  kind: 'podAffinity' | 'podAntiAffinity',
  topologyKey: string,
  color: string,
): Partial<PodSpec> {
  const term = {
    labelSelector: { matchLabels: { color } },
    topologyKey,
    namespaces: ['sched-1', 'sched-0'],
  };
  return { affinity: { [kind]: { requiredDuringSchedulingIgnoredDuringExecution: [term] } } };
}

const onMoon: Partial<PodSpec> = {
  affinity: {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: {
        nodeSelectorTerms: [
          { matchExpressions: [{ key: zone, operator: 'In', values: ['moon-1', 'moon-2'] }] },
        ],
      },
    },
  },
};

const spread: Partial<PodSpec> = {
  topologySpreadConstraints: [
    {
      maxSkew: 5,
      topologyKey: zone,
      whenUnsatisfiable: 'DoNotSchedule',
      labelSelector: { matchLabels: { color: 'blue' } },
    },
  ],
};

const gated: Partial<PodSpec> = { schedulingGates: [{ name: 'example.com/wait' }] };
const tooLarge: Partial<PodSpec> = { containers: [containerOf('9', '500Mi')] };
const quarter: Partial<PodSpec> = { containers: [containerOf('900m', '500Mi')] };
const urgent: Partial<PodSpec> = { containers: [containerOf('3', '500Mi')], priorityClassName: 'high' };

/** The workloads that are measured. */
export const workloads: readonly Workload[] = [
  { name: 'basic', before: earlier, pods: basics },
  {
    name: 'node affinity',
    before: earlier,
    pods: () => times(measured, (index) => podOf(`p-${index}`, onMoon)),
  },
  {
    name: 'pod affinity',
    before: () =>
      times(1_000, (index) =>
        podOf(`before-${index}`, affine('podAffinity', zone, 'blue'), { labels: { color: 'blue' } }),
      ),
    pods: () =>
      times(measured, (index) =>
        podOf(`p-${index}`, affine('podAffinity', zone, 'blue'), {
          labels: { color: 'blue' },
          namespace: 'sched-1',
        }),
      ),
  },
  {
    name: 'anti-affinity',
    before: (nodes) => antiAffine(Math.floor(nodes / 5), 'before'),
    pods: (nodes) => antiAffine(Math.min(measured, Math.floor((nodes * 3) / 5)), 'p'),
  },
  {
    name: 'topology spread',
    before: () => times(2_000, (index) => podOf(`before-${index}`)),
    pods: () => times(measured, (index) => podOf(`p-${index}`, spread, { labels: { color: 'blue' } })),
  },
  {
    name: 'preemption',
    before: (nodes) => times(4 * Math.min(nodes, 2_500), (index) => podOf(`before-${index}`, quarter)),
    pods: (nodes) => times(Math.min(500, nodes), (index) => podOf(`p-${index}`, urgent)),
  },
  {
    name: 'unschedulable',
    before: () => times(200, (index) => podOf(`large-${index}`, tooLarge)),
    stays: () => true,
    pods: basics,
  },
  {
    name: 'gated',
    before: () => times(2_000, (index) => podOf(`gated-${index}`, gated)),
    stays: () => true,
    pods: basics,
  },
];

function antiAffine(count: number, prefix: string): readonly Pod[] {
  return times(count, (index) =>
    podOf(`${prefix}-${index}`, affine('podAntiAffinity', 'kubernetes.io/hostname', 'green'), {
      labels: { color: 'green' },
    }),
  );
}
