import { nodes, pods } from '../src/api/core/v1.gen.ts';
import { startBenchCluster, type BenchCluster } from './bench-cluster.ts';
import { processMemory } from './process-memory.ts';
import {
  controllerLag,
  getLatency,
  pageLatency,
  podTimes,
  prepareProbes,
  type ControllerLag,
  type Latency,
  type PodTimes,
} from './scale-probes.ts';
import { fillPods, heldName, heldNamespace, pause } from './simulated-load.ts';

export const name = 'scale: the curves of docs/scale.md, as tables';

const nodeCounts = numbers('KANOE_BENCH_NODES', [1, 10, 100, 1_000, 5_000]);
const podCounts = numbers('KANOE_BENCH_PODS', [1, 100, 1_000, 10_000, 50_000, 150_000]);
const fillLimitMs = 900_000;

function numbers(variable: string, otherwise: readonly number[]): readonly number[] {
  return process.env[variable]?.split(',').map(Number) ?? otherwise;
}

interface Measured {
  readonly memory: { readonly total: number; readonly own: number };
  readonly get: Latency;
  readonly page: Latency;
  readonly pod: PodTimes;
  readonly lag: ControllerLag;
}

const columns = ['MB', 'of it own', 'GET', 'page', 'create', 'scheduled', 'running', 'ReplicaSet', 'pod'];

/**
 * A cluster for each number of nodes, and in the largest more and more pods; at each size memory and latencies, as rows of
 * two tables. `KANOE_BENCH_NODES=1,100` and `KANOE_BENCH_PODS=1,1000` choose sizes.
 */
export async function run(): Promise<void> {
  printHeader('nodes', 'Ready, s');
  for (const count of nodeCounts) {
    const cluster = await startBenchCluster(['--nodes', '0', '--nodes-simulated', String(count)]);
    try {
      await prepareProbes(cluster.client);
      await pause(3000);
      const get = (at: number): Promise<unknown> =>
        cluster.client.for(nodes).get({ name: nodeName(at % count) });
      const page = (): Promise<Latency> => pageLatency(cluster.client, nodes);
      printRow([count, (cluster.upMs / 1000).toFixed(1), ...cells(await measure(cluster, { get, page }))]);
      if (count === Math.max(...nodeCounts)) await growPods(cluster);
    } finally {
      await cluster.stop();
    }
  }
}

async function growPods(cluster: BenchCluster): Promise<void> {
  const { client } = cluster;
  printHeader('pods', 'more pods/s');
  let from = 0;
  for (const to of podCounts) {
    const started = performance.now();
    await fillPods(client, { from, to, limitMs: fillLimitMs });
    const seconds = (performance.now() - started) / 1000;
    const perSecond = (to - from) / seconds;
    from = to;
    await pause(to > 10_000 ? 10_000 : 2000);
    const get = (at: number): Promise<unknown> =>
      client.for(pods).get({ namespace: heldNamespace, name: heldName((at * 7919) % to) });
    const page = (): Promise<Latency> => pageLatency(client, pods);
    printRow([to, perSecond.toFixed(0), ...cells(await measure(cluster, { get, page }))]);
  }
}

interface Subjects {
  get(at: number): Promise<unknown>;
  page(): Promise<Latency>;
}

async function measure({ client, record }: BenchCluster, { get, page }: Subjects): Promise<Measured> {
  const memory = await processMemory(record.process?.pid);
  return {
    memory,
    get: await getLatency(500, get),
    page: await page(),
    pod: await podTimes(client),
    lag: await controllerLag(client),
  };
}

function cells({ memory, get, page, pod, lag }: Measured): string[] {
  const both = ({ p50, p99 }: Latency): string => `${p50.toFixed(1)} / ${p99.toFixed(1)}`;
  const megabytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(0);
  return [
    megabytes(memory.total),
    megabytes(memory.own),
    ...[get, page, pod.created, pod.scheduled, pod.running, lag.replicaSet, lag.pod].map(both),
  ];
}

/** As the cluster names its simulated nodes. */
function nodeName(at: number): string {
  return `node-${String(at).padStart(6, '0')}`;
}

function printHeader(size: string, speed: string): void {
  const names = [size, speed, ...columns];
  console.log('');
  printRow(names);
  printRow(names.map(() => '---'));
}

function printRow(values: readonly (string | number)[]): void {
  console.log(`| ${values.join(' | ')} |`);
}
