import { readFile } from 'node:fs/promises';
import type { Client } from '../src/client/client.ts';
import { deployments } from '../src/api/apps/v1.gen.ts';
import { nodes, pods, type Pod } from '../src/api/core/v1.gen.ts';
import { startBenchCluster } from './bench-cluster.ts';
import { quantile, type Report } from './bench-row.ts';

export const name = 'simulation: thousands of nodes and pods that run nothing';

const nodeCount = 5_000;
const podCount = 10_000;
const heldPods = 150_000;

/**
 * A cluster with 5,000 simulated nodes, then a Deployment of 10,000 pods on them, then as many pods more, bound by hand, as
 * make 150,000, and GETs while they are held.
 */
export async function run(report: Report): Promise<void> {
  const empty = await startBenchCluster(['--nodes', '0']);
  const emptyMemory = await memoryOf(empty.record.process?.pid);
  await empty.stop();

  const started = performance.now();
  const cluster = await startBenchCluster(['--nodes', '0', '--nodes-simulated', String(nodeCount)]);
  const pid = cluster.record.process?.pid;
  try {
    report({ what: `${nodeCount} nodes Ready`, value: (performance.now() - started) / 1000, unit: 's' });
    const nodesMemory = await memoryOf(pid);
    report({ what: 'memory per node', value: (nodesMemory - emptyMemory) / nodeCount / 1024, unit: 'KB' });

    const before = performance.now();
    await createDeployment(cluster.client);
    await runningPods(cluster.client, podCount);
    report({ what: `${podCount} pods Running`, value: (performance.now() - before) / 1000, unit: 's' });
    const podsMemory = await memoryOf(pid);
    report({
      what: 'memory per pod, scheduled',
      value: (podsMemory - nodesMemory) / podCount / 1024,
      unit: 'KB',
    });

    const filling = performance.now();
    await fill(cluster.client, heldPods - podCount);
    await runningPods(cluster.client, heldPods);
    report({
      what: `${heldPods} pods Running, bound by hand`,
      value: (performance.now() - filling) / 1000,
      unit: 's',
    });
    report({
      what: `memory per pod, with ${heldPods}`,
      value: ((await memoryOf(pid)) - nodesMemory) / heldPods / 1024,
      unit: 'KB',
    });
    const times = await getTimes(cluster.client, 2_000);
    report({ what: `GET of a pod, p50, with ${heldPods} pods`, value: quantile(times, 0.5), unit: 'ms' });
    report({ what: `GET of a pod, p99, with ${heldPods} pods`, value: quantile(times, 0.99), unit: 'ms' });
  } finally {
    await cluster.stop();
  }
}

async function createDeployment(client: Client): Promise<void> {
  const labels = { app: 'big' };
  await client.for(deployments).create({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'big', namespace: 'default' },
    spec: {
      replicas: podCount,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'anything' }] } },
    },
  });
}

/** Resolves when so many pods run, as a watch tells it. */
async function runningPods(client: Client, count: number): Promise<void> {
  const stop = new AbortController();
  const events = client
    .for(pods)
    .watch({ namespace: 'default', fieldSelector: 'status.phase=Running', signal: stop.signal });
  let running = 0;
  for await (const { type } of events) {
    if (type === 'ADDED') running++;
    if (running === count) break;
  }
  stop.abort();
}

async function fill(client: Client, count: number): Promise<void> {
  const names = (await client.for(nodes).list()).items.map(({ metadata }) => metadata.name);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      const at = next++;
      const pod: Pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: `held-${at}`, namespace: 'default' },
        spec: { nodeName: names[at % names.length] ?? '', containers: [{ name: 'main', image: 'anything' }] },
      };
      await client.for(pods).create(pod);
    }
  };
  await Promise.all(Array.from({ length: 64 }, work));
}

async function getTimes(client: Client, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let at = 0; at < count; at++) {
    const started = performance.now();
    await client.for(pods).get({ namespace: 'default', name: `held-${(at * 7919) % 100_000}` });
    times.push(performance.now() - started);
  }
  return times;
}

/** Proportional set size of a process, in bytes. */
async function memoryOf(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  return Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0) * 1024;
}
