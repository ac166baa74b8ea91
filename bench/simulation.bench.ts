import { pods } from '../src/api/core/v1.gen.ts';
import { createClient } from '../src/client/create-client.ts';
import { adminTransport } from '../src/cluster/admin-transport.ts';
import { startBenchCluster } from './bench-cluster.ts';
import type { Report } from './bench-row.ts';
import { processMemory } from './process-memory.ts';
import { getLatency } from './scale-probes.ts';
import {
  changeTemplate,
  createDeployment,
  fillPods,
  heldName,
  heldNamespace,
  pause,
  replaceSome,
  rolledOut,
  scaleDeployment,
} from './simulated-load.ts';

export const name = 'simulation: thousands of nodes and pods that run nothing';

const nodeCount = Number(process.env['KANOE_BENCH_NODES'] ?? 5_000);
const podCount = Number(process.env['KANOE_BENCH_PODS'] ?? 10_000);
const heldPods = Number(process.env['KANOE_BENCH_HELD'] ?? 150_000);
const limitMs = 300_000;
const big = { namespace: 'default', name: 'big' };

/**
 * A cluster with 5,000 simulated nodes; a Deployment of 10,000 pods on them, scheduled, run, and rolled; then 150,000 pods
 * that are held, and GETs meanwhile. `KANOE_BENCH_NODES`, `KANOE_BENCH_PODS` and `KANOE_BENCH_HELD` choose other numbers. A step
 * that takes more than 5 minutes (15 for the pods that are held) ends the benchmark.
 */
export async function run(report: Report): Promise<void> {
  const empty = await startBenchCluster(['--nodes', '0']);
  const emptyMemory = await processMemory(empty.record.process?.pid);
  await empty.stop();

  const cluster = await startBenchCluster(['--nodes', '0', '--nodes-simulated', String(nodeCount)]);
  const { client, record } = cluster;
  const pid = record.process?.pid;
  try {
    report({ what: `${nodeCount} nodes Ready`, value: cluster.upMs / 1000, unit: 's' });
    await pause(3000);
    const withNodes = await processMemory(pid);
    report({
      what: 'memory per node',
      value: (withNodes.total - emptyMemory.total) / nodeCount / 1024,
      unit: 'KB',
    });

    const seconds = async (work: () => Promise<void>): Promise<number> => {
      const started = performance.now();
      await work();
      return (performance.now() - started) / 1000;
    };
    const running = await seconds(async () => {
      await createDeployment(client, { ...big, replicas: podCount });
      await rolledOut(client, { ...big, limitMs });
    });
    report({ what: `${podCount} pods of a Deployment Running`, value: running, unit: 's' });
    const withPods = await processMemory(pid);
    report({
      what: 'memory per pod, just scheduled, with its history and events',
      value: (withPods.total - withNodes.total) / podCount / 1024,
      unit: 'KB',
    });
    const rolling = await seconds(async () => {
      await changeTemplate(client, { ...big, version: 'two' });
      await rolledOut(client, { ...big, limitMs });
    });
    report({ what: `a Deployment of ${podCount} pods rolled`, value: rolling, unit: 's' });
    const shrinking = await seconds(async () => {
      await scaleDeployment(client, { ...big, replicas: 0 });
      await rolledOut(client, { ...big, limitMs });
    });
    report({ what: `a Deployment of ${podCount} pods scaled to none`, value: shrinking, unit: 's' });

    const filling = await seconds(() => fillPods(client, { from: 0, to: heldPods, limitMs: 3 * limitMs }));
    report({ what: `${heldPods} pods Running, bound by hand`, value: filling, unit: 's' });
    await pause(10_000);
    const held = await processMemory(pid);
    report({
      what: `memory per pod, with ${heldPods}`,
      value: (held.total - withNodes.total) / heldPods / 1024,
      unit: 'KB',
    });
    report({
      what: 'of it in no file',
      value: (held.own - withNodes.own) / heldPods / 1024,
      unit: 'KB',
    });
    // One that is not among those that are replaced below.
    const get = (at: number): Promise<unknown> =>
      client
        .for(pods)
        .get({ namespace: heldNamespace, name: heldName(((at * 79) % (heldPods / 100)) * 100 + 1) });
    const { p50, p99 } = await getLatency(2_000, get);
    report({ what: `GET of a pod, p50, with ${heldPods} pods`, value: p50, unit: 'ms' });
    report({ what: `GET of a pod, p99, with ${heldPods} pods`, value: p99, unit: 'ms' });
    const other = createClient(await adminTransport(cluster.kubeconfig));
    const [during] = await Promise.all([
      getLatency(2_000, get),
      replaceSome(other, { held: heldPods, seconds: 20 }),
    ]);
    await other.transport.close();
    report({ what: 'the same while 1 % of them are replaced, p50', value: during.p50, unit: 'ms' });
    report({ what: 'the same while 1 % of them are replaced, p99', value: during.p99, unit: 'ms' });
  } finally {
    await cluster.stop();
  }
}
