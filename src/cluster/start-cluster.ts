import { networkInterfaces } from 'node:os';
import type { Clock } from '../base/clock.ts';
import type { Client } from '../client/client.ts';
import { createClient } from '../client/create-client.ts';
import type { KubeObject } from '../machinery/object.ts';
import type { UsageSource } from '../api/metrics/usage.ts';
import { loadArchive } from '../oci/image-service.ts';

import { ClusterError } from './cluster-error.ts';
import { removeRecord, writeRecord } from './cluster-record.ts';
import type { ClusterRecord, StartupTimes } from './cluster-record.ts';
import { checkControllers, startControlPlane } from './control-plane.ts';
import { serveControl, type ClusterControl, type ControlSocket } from './control-socket.ts';
import { greeting, serviceUrls } from './greeting.ts';
import { withHomeLock } from './home-lock.ts';
import type { Home } from './home.ts';
import { openImageStore } from './images.ts';
import { publishKubeconfig, retractKubeconfig } from './kubeconfig-files.ts';
import { startMachine } from './machine.ts';
import type { Machine } from './machine.ts';
import { readFeatureGates } from './feature-gates.ts';
import { optionalApis } from './optional-apis.ts';
import { nodeSettings } from './node-settings.ts';
import { defaultStopPatienceMs } from './stop-cluster.ts';
import { networksOf, planCluster } from './plan-cluster.ts';
import type { ClusterPlan, UpOptions } from './plan-cluster.ts';
import { processIdentity } from './process-identity.ts';
import { openInside } from './rootless/inside.ts';
import { rootlessLimitations } from './rootless/means.ts';
import type { RootlessPlace } from './rootless/rootless.ts';
import { removeTraces } from './remove-traces.ts';
import { chooseRuntime } from './runtime-choice.ts';
import type { ChosenRuntime } from './runtime-choice.ts';

/** Hears how a start goes. */
export interface ClusterReport {
  step(text: string): void;
  line(text: string): void;
  warn(text: string): void;
}

export interface StartOptions extends UpOptions {
  readonly home: Home;
  readonly clock: Clock;
  /** When the process that was started by the person began, in milliseconds since the epoch. */
  readonly startedAt: number;
  readonly program: {
    readonly unpack: string;
    readonly networkWorker: string;
    readonly ingressWorker: string;
    readonly rulesWorker: string;
    readonly version: string;
  };
  /** Image archives to load before pods start. */
  readonly archives: readonly string[];
  /** Where programs of the machine are, as in PATH. */
  readonly searchPath: string;
  /** Write only this kubeconfig file. */
  readonly kubeconfig?: string;
  readonly detached: boolean;
  /** When this process is inside namespaces of its own: where the outside is, and how it hears of ports to carry. */
  readonly rootless?: { readonly place: RootlessPlace; announce(ports: readonly number[]): void };
  readonly signal: AbortSignal;
  readonly report: ClusterReport;
}

export interface RunningCluster {
  /** As the administrator, in this process. */
  readonly client: Client;
  /** Resolves when the kinds of the Gateway API are served, where they are to be. */
  gatewayReady(): Promise<void>;
  /** What a person wants to know once it runs. */
  greeting(): readonly string[];
  /** Where applied services are reached from this machine. */
  urls(objects: readonly KubeObject[]): Promise<readonly string[]>;
  /** Stops everything and removes all but the data. */
  stop(): Promise<void>;
}

/**
 * Starts a cluster in this process: API server, controllers, scheduler and nodes, in that order and as much at once as can be.
 * Resolves when a node can start pods and DNS answers (or, with no nodes, when the API does).
 */
export async function startCluster(options: StartOptions): Promise<RunningCluster> {
  const { home, clock, report } = options;
  checkControllers(options.controllers);
  optionalApis(options.runtimeConfig ?? []);
  readFeatureGates(options.featureGates ?? []);
  const { shutdownGrace } = await nodeSettings(options.kubelet);
  const choice = await chooseRuntime(options);
  const { plan, started } = await withHomeLock(home, clock, async () => {
    const planned = await planCluster(home, options);
    const log = new StartLog(options, planned, choice);
    await log.begin();
    return { plan: planned, started: log };
  });
  report.step(`starting cluster ${plan.name} …`);
  const images = openImageStore(plan.dataDirectory, options.program.unpack);
  const loading = images.sweep().then(() => loadAll(images, options));
  loading.catch(() => undefined);
  let machine: Machine | undefined;
  const usage: UsageSource = {
    nodes: () => machine?.usage.nodes() ?? [],
    pods: () => machine?.usage.pods() ?? [],
  };
  const hasNodes = plan.nodes.length > 0 || (options.simulated?.count ?? 0) > 0;
  const measures = options.metricsApi && (hasNodes || plan.outside !== undefined);
  const controlPlane = await startControlPlane(plan, options, measures ? usage : undefined).catch(
    async (error: unknown) => {
      // Whoever holds the data directory may run containers of the same identity: they are not to be touched.
      await started.abandon();
      throw error;
    },
  );
  let control: ControlSocket | undefined;
  let inside: { close(): void } | undefined;
  const stop = async (): Promise<void> => {
    await control?.close();
    inside?.close();
    await machine?.stop();
    await controlPlane.close();
    await removeTraces(plan, clock);
    await withHomeLock(home, clock, () => retractKubeconfig(started.record));
    await started.stopped();
  };
  try {
    if (options.rootless)
      inside = await openInside({ ...options.rootless, informers: controlPlane.informers });
    const stopPatienceMs = shutdownGrace.reduce((sum, { graceMs }) => sum + graceMs, defaultStopPatienceMs);
    await started.update({
      server: controlPlane.url,
      stopPatienceMs,
      ...(plan.outside && { advertised: `https://${plan.outside.advertise}:${controlPlane.port}` }),
    });
    const merged = await withHomeLock(home, clock, () =>
      publishKubeconfig({
        home,
        plan,
        pki: controlPlane.pki,
        server: controlPlane.url,
        ...(options.kubeconfig !== undefined && { only: options.kubeconfig }),
      }),
    );
    await started.reached('apiReadyMs', merged ? { mergedKubeconfig: merged } : {});
    report.step('API ready, starting nodes …');
    await loading;
    machine = await startMachine({ plan, options, controlPlane, images, runtime: choice });
    control = await serveControl(plan, { nodes: nodeControl(machine) });
    await started.update({
      limitations: [
        ...choice.limitations,
        ...(options.rootless
          ? rootlessLimitations(options.rootless.place.means, Object.keys(networkInterfaces()))
          : []),
        ...machine.limitations,
      ],
    });
    if (hasNodes) {
      await Promise.race([
        Promise.all([
          machine.nodesReady().then(() => started.reached('nodeReadyMs')),
          machine.dnsAnswers?.().then(() => started.reached('dnsReadyMs')),
        ]),
        aborted(options.signal),
      ]);
    }
    options.signal.throwIfAborted();
  } catch (error) {
    await stop();
    throw error;
  }
  const admin = createClient(
    controlPlane.server.transport({
      name: 'kubernetes-admin',
      groups: ['system:masters', 'system:authenticated'],
    }),
  );
  return {
    client: admin,
    gatewayReady: async () => await machine?.gatewayReady(),
    greeting: () => greeting(started.record, options.kubeconfig),
    urls: (objects) => serviceUrls(admin, objects),
    stop,
  };
}

/** The nodes of this machine, for commands in other processes. */
function nodeControl({ nodes }: Machine): ClusterControl['nodes'] {
  return {
    list: () => nodes.list(),
    async add(name) {
      const node = await nodes.add(name);
      await node.agent.ready;
      return node.name;
    },
    start: async (name) => (await nodes.start(name)).agent.ready,
    stop: (name) => nodes.stop(name),
    delete: (name) => nodes.delete(name),
  };
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason as Error);
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
  });
}

async function loadAll(images: ReturnType<typeof openImageStore>, options: StartOptions): Promise<void> {
  for (const path of options.archives) {
    for (const { name } of await loadArchive(images, path)) options.report.line(`loaded ${name}`);
  }
}

/** Keeps the cluster's record true while it starts. */
class StartLog {
  record: ClusterRecord;
  readonly #options: StartOptions;
  readonly #previous: ClusterRecord | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: StartOptions, plan: ClusterPlan, runtime: ChosenRuntime) {
    this.#options = options;
    this.#previous = plan.previous;
    this.record = {
      name: plan.name,
      id: plan.id,
      dataDirectory: plan.dataDirectory,
      runDirectory: plan.runDirectory,
      podCidr: networksOf(plan).pods,
      serviceCidr: networksOf(plan).services,
      nodes: plan.nodes.length,
      runtime: runtime.name,
      startup: {},
      limitations: runtime.limitations,
      ...(options.detached && { logFile: `${options.home.directory}/logs/${plan.name}.log` }),
    };
  }

  async reached(stage: keyof StartupTimes, change: Partial<ClusterRecord> = {}): Promise<void> {
    const ms = Math.round(this.#options.clock.now() - this.#options.startedAt);
    await this.update({ ...change, startup: { ...this.record.startup, [stage]: ms } });
  }

  /** From now on this process runs the cluster. */
  async begin(): Promise<void> {
    const identity = this.#options.rootless?.place.outer ?? (await processIdentity(process.pid));
    if (!identity) throw new ClusterError('FAILED', 'this process cannot read its own state in /proc');
    await this.update({ process: identity });
  }

  async update(change: Partial<ClusterRecord>): Promise<void> {
    this.record = { ...this.record, ...change };
    const { record } = this;
    this.#writing = this.#writing.then(() => writeRecord(this.#options.home, record));
    await this.#writing;
  }

  async stopped(): Promise<void> {
    const { process: _process, mergedKubeconfig: _merged, ...rest } = this.record;
    await this.#writing;
    await writeRecord(this.#options.home, rest);
  }

  /** Nothing was started: what was known before is true again. */
  async abandon(): Promise<void> {
    const { home, name } = this.#options;
    await this.#writing;
    await (this.#previous ? writeRecord(home, this.#previous) : removeRecord(home, name));
  }
}
