import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { createClient } from '../client/create-client.ts';
import { configmaps, namespaces, pods } from '../api/core/v1.gen.ts';
import { contextName } from './context-name.ts';
import { startCluster } from './start-cluster.ts';
import { adminTransport } from './admin-transport.ts';

/** Runs the paths of a start once, without a node, so that the engine has compiled what a start needs. */
export async function warmUp(
  clock: Clock,
  program: {
    readonly unpack: string;
    readonly networkWorker: string;
    readonly ingressWorker: string;
    readonly rulesWorker: string;
    readonly version: string;
  },
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'kanoe-warm-up-'));
  const kubeconfig = join(directory, 'kubeconfig');
  try {
    const cluster = await startCluster({
      name: contextName('kanoe'),
      home: { directory, kubeconfig },
      clock,
      startedAt: clock.now(),
      program,
      archives: [],
      searchPath: '',
      kubeconfig,
      detached: false,
      signal: new AbortController().signal,
      report: { step: () => undefined, line: () => undefined, warn: () => undefined },
      port: 0,
      nodes: 0,
      controllers: '*',
      runtime: 'process',
      metricsApi: true,
      mirrors: new Map(),
    });
    const client = createClient(await adminTransport(kubeconfig));
    await client.for(namespaces).list();
    await client
      .for(configmaps)
      .create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'warm-up', namespace: 'default' } });
    await client.for(pods).list();
    await client.transport.close();
    await cluster.stop();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
