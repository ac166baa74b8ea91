import type { UsageSource } from '../api/metrics/usage.ts';
import { nodes, type Node } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import { createEventRecorder } from '../reconcile/create-event-recorder.ts';
import { createKubeletGuard } from '../node/kubelet-server/kubelet-guard.ts';
import { createKubeletServer } from '../node/kubelet-server/kubelet-server.ts';
import type { Simulation } from '../node/simulated/simulation.ts';
import { NODE_ANNOTATION } from '../node/simulated/kwok/stage.ts';
import type { ControlPlane } from './control-plane.ts';
import { servedVersion } from './served-version.ts';
import type { StartOptions } from './start-cluster.ts';

/** Simulated nodes of a cluster, whether there are any or not. */
export interface SupervisedSimulation {
  /** Resolves when as many simulated nodes are Ready as were asked for. */
  nodesReady(): Promise<void>;
  /** What simulated nodes and pods use, as far as anything says so. */
  readonly usage: UsageSource;
  stop(): Promise<void>;
}

interface SimulationSurroundings {
  readonly options: StartOptions;
  readonly controlPlane: ControlPlane;
}

const POOL_BYTES = 256 << 10;

/** Makes the simulated nodes that were asked for, and simulates whatever nodes bear KWOK's annotation, from the first of them on. */
export function superviseSimulation({ options, controlPlane }: SimulationSurroundings): SupervisedSimulation {
  const { clock, report, simulated } = options;
  const { client, informers } = controlPlane;
  const count = simulated?.count ?? 0;
  const stopping = new AbortController();
  let running: Promise<Simulation> | undefined;
  let present: Simulation | undefined;

  const warned = new Set<string>();

  /** What goes wrong with one of thousands of objects goes wrong with many: each kind of failure is told once. */
  function warnOnce(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    const shape = text.replaceAll(/"[^"]*"|\d+/g, '…');
    if (warned.size > 100 || warned.has(shape)) return;
    warned.add(shape);
    report.warn(`simulation: ${text}`);
  }

  async function start(): Promise<Simulation> {
    // Thousands of nodes write so much that the engine would be busy with the small blocks that buffers are cut from.
    Buffer.poolSize = POOL_BYTES;
    const { startSimulation } = await import('../node/simulated/simulation.ts');
    let simulation: Simulation | undefined;
    const kubelet = createKubeletServer({
      agent: () => {
        if (!simulation) throw new Error('the simulation has not begun');
        return simulation.kubelet;
      },
      pages(path) {
        const body = path === '/healthz' ? 'ok' : simulation?.metricsAt(path);
        return body === undefined ? undefined : { type: 'text/plain; version=0.0.4; charset=utf-8', body };
      },
      clock,
      guard: createKubeletGuard({ client, clock, nodeName: () => '' }),
      tls: { ...controlPlane.pki.kubelet, clientCa: controlPlane.pki.ca.cert },
    });
    // The nodes say which port their kubelet has; those of an earlier start say that one's.
    const former = informers.for(nodes).list().find(isFake)?.status?.daemonEndpoints?.kubeletEndpoint?.Port;
    const kubeletPort = await kubelet
      .listen({ host: '127.0.0.1', port: former ?? 0 })
      .catch(() => kubelet.listen({ host: '127.0.0.1', port: 0 }));
    stopping.signal.addEventListener('abort', () => void kubelet.close(), { once: true });
    simulation = await startSimulation(
      {
        client,
        informers,
        clock,
        events: createEventRecorder(client, { clock, component: 'kwok' }),
        seed: simulated?.seed ?? '',
        version: servedVersion(options.program.version).gitVersion,
        kubeletPort,
        searchPath: options.searchPath,
        onError: warnOnce,
      },
      stopping.signal,
    );
    present = simulation;
    return simulation;
  }
  function begin(): Promise<Simulation> {
    running ??= start();
    running.catch((error: unknown) => {
      if (!stopping.signal.aborted) report.warn(`simulation: ${String(error)}`);
    });
    return running;
  }
  const handler = informers.for(nodes).addHandler({
    onAdd: (node) => {
      if (isFake(node)) void begin();
    },
  });
  informers.start();
  const created = count > 0 ? createNodes() : Promise.resolve();
  created.catch(() => undefined);

  async function createNodes(): Promise<void> {
    const { createSimulatedNodes, defaultCapacity } = await import('../node/simulated/create-nodes.ts');
    await createSimulatedNodes(client, {
      count,
      capacity: { ...defaultCapacity, ...simulated?.capacity },
      zones: simulated?.zones ?? [],
      tainted: simulated?.tainted ?? false,
    });
  }

  return {
    usage: {
      nodes: () => present?.measured().nodes() ?? [],
      pods: () => present?.measured().pods() ?? [],
    },
    async nodesReady() {
      await created;
      if (count > 0) await (await begin()).nodesReady(count, options.signal);
    },
    async stop() {
      handler.close();
      stopping.abort();
      await created.catch(() => undefined);
      await (await running?.catch(() => undefined))?.stop();
    },
  };
}

function isFake({ metadata }: Live<Node>): boolean {
  return metadata.annotations?.[NODE_ANNOTATION] === 'fake';
}
