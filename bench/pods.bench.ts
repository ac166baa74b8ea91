import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Client } from '../src/client/client.ts';
import { pods } from '../src/api/core/v1.gen.ts';
import type { Pod } from '../src/api/core/v1.gen.ts';
import { startBenchCluster } from './bench-cluster.ts';
import { quantile, type Report } from './bench-row.ts';

export const name = 'pods: created → container running, image present';

const serial = 30;
const atOnce = 30;

/** One pod after the other, then many at once, beside a bare `crun run` of a static program. */
export async function run(report: Report): Promise<void> {
  const limits = await bareCrun();
  const limit = (share: number): { readonly limit?: number } =>
    limits.length > 0 ? { limit: quantile(limits, share) } : {};
  const cluster = await startBenchCluster();
  try {
    await runningAfter(cluster.client, 'warm-up');
    const times: number[] = [];
    for (let round = 0; round < serial; round += 1)
      times.push(await runningAfter(cluster.client, `serial-${round}`));
    report({ what: 'one at a time, p50', value: quantile(times, 0.5), unit: 'ms', ...limit(0.5) });
    report({ what: 'one at a time, p99', value: quantile(times, 0.99), unit: 'ms', ...limit(0.99) });
    const together = await Promise.all(
      Array.from({ length: atOnce }, (_, round) => runningAfter(cluster.client, `together-${round}`)),
    );
    report({ what: `${atOnce} at once, p50`, value: quantile(together, 0.5), unit: 'ms' });
    report({ what: `${atOnce} at once, p99`, value: quantile(together, 0.99), unit: 'ms' });
  } finally {
    await cluster.stop();
  }
}

/** Milliseconds from the request that creates a pod to the event that says that its container runs. */
async function runningAfter(client: Client, podName: string): Promise<number> {
  const stop = new AbortController();
  const { metadata } = await client.for(pods).list({ namespace: 'default', limit: 1 });
  const started = performance.now();
  const pod: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: podName, namespace: 'default' },
    spec: {
      terminationGracePeriodSeconds: 0,
      containers: [
        {
          name: 'main',
          image: 'kanoe.local/node',
          imagePullPolicy: 'IfNotPresent',
          command: ['sleep', '1000'],
        },
      ],
    },
  };
  const [elapsed] = await Promise.all([watchRunning(), client.for(pods).create(pod)]);
  await client.for(pods).delete({ namespace: 'default', name: podName });
  return elapsed;

  async function watchRunning(): Promise<number> {
    const watch = client.for(pods).watch({
      namespace: 'default',
      fieldSelector: `metadata.name=${podName}`,
      resourceVersion: metadata.resourceVersion ?? '',
      signal: stop.signal,
    });
    for await (const { object } of watch) {
      if (object.status?.containerStatuses?.[0]?.state?.running) {
        const at = performance.now() - started;
        stop.abort();
        return at;
      }
    }
    throw new Error(`${podName} never ran`);
  }
}

/** Milliseconds of whole `crun run` calls of a busybox that ends at once; empty without crun or busybox. */
async function bareCrun(): Promise<number[]> {
  const directory = await mkdtemp(join(tmpdir(), 'kanoe-crun-'));
  const run = promisify(execFile);
  const times: number[] = [];
  try {
    await mkdir(join(directory, 'rootfs/bin'), { recursive: true });
    await copyFile('/bin/busybox', join(directory, 'rootfs/bin/busybox'));
    await run('crun', ['spec'], { cwd: directory });
    const config = JSON.parse(await readFile(join(directory, 'config.json'), 'utf8')) as {
      process: { args: string[]; terminal: boolean; rlimits?: unknown };
    };
    config.process.args = ['/bin/busybox', 'true'];
    config.process.terminal = false;
    delete config.process.rlimits;
    await writeFile(join(directory, 'config.json'), JSON.stringify(config));
    // A host whose version 2 hierarchy has controllers of its own hides it from crun, as the runtime does.
    const script = 'umount /sys/fs/cgroup/unified 2> /dev/null; exec crun --cgroup-manager=disabled run "$0"';
    for (let round = 0; round < serial; round += 1) {
      const started = performance.now();
      await run('unshare', ['--mount', 'sh', '-c', script, `kanoe-bench-${process.pid}-${round}`], {
        cwd: directory,
      });
      times.push(performance.now() - started);
    }
  } catch (error) {
    console.error(
      `  (no crun run to compare with: ${error instanceof Error ? error.message.split('\n')[0] : String(error)})`,
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  return times;
}
