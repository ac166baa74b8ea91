import { setMaxListeners } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sleep, type Clock } from '../base/clock.ts';
import { nodes, pods, type Node, type NodeAddress, type Pod } from '../api/core/v1.gen.ts';
import type { Client } from '../client/client.ts';
import type { Live } from '../machinery/object.ts';
import type { EventRecorder } from '../reconcile/event-recorder.ts';
import { reflect } from '../reconcile/reflector.ts';
import { createNodeAdmission } from './admission/node-admission.ts';
import { isMirrorPod } from './admission/static-pod.ts';
import { createConfigSource } from './config-source.ts';
import type { ContainerRuntime, ContainerStatus } from './container-runtime.ts';
import { createImagePuller } from './images/image-puller.ts';
import { createHousekeeping, type Housekeeping } from './housekeeping.ts';
import type { ImageService } from './image-service.ts';
import { KeyedBackoff } from './keyed-backoff.ts';
import { podLogs, type PodLogOptions } from './logs/pod-logs.ts';
import type { LocalVolumeUse } from './local-storage/local-volumes.ts';
import type { NodeContext } from './node-context.ts';
import { memoryDirectoryOf } from './node-files.ts';
import { keepNodeLease } from './node-lease.ts';
import { NodeRegistration } from './node-registration.ts';
import {
  goArchitecture,
  goOperatingSystem,
  nodeCapacity,
  nodeStatus,
  nodeSystemInfo,
  withDevices,
} from './node-status.ts';
import { createNodePlugins } from './plugins/node-plugins.ts';
import { ProbeCounts } from './probes/probe-counts.ts';
import { PodWorkers } from './pod-workers.ts';
import { defaultNodeSettings, type NodeSettings } from './settings/node-settings.ts';
import { selecting } from './selecting.ts';
import { followServices } from './service-source.ts';
import { shutDown } from './shutdown/shut-down.ts';
import { StaticPods } from './static-pods/static-pods.ts';
import { createServiceAccountTokens } from './volumes/service-account-tokens.ts';
import type { PodVolumes } from './volumes/pod-volumes.ts';
import type { VolumeStats } from './volumes/volume-stats.ts';
import { shareNodeDirectory } from './volumes/shared-mounts.ts';
import { mountTmpfs } from './volumes/tmpfs.ts';

export interface NodeAgentOptions {
  readonly nodeName: string;
  readonly client: Client;
  readonly runtime: ContainerRuntime;
  readonly images: ImageService;
  readonly clock: Clock;
  /** A recorder of component `kubelet` on this node. */
  readonly events: EventRecorder;
  /** State of the node: volumes, logs. */
  readonly directory: string;
  /** The node's networks of pods, one of each family; absent: the cluster gives it one. */
  readonly podCIDRs?: readonly string[];
  readonly clusterDns: readonly string[];
  /** `cluster.local`. */
  readonly clusterDomain: string;
  /** `node.status.addresses`; the internal addresses are the pods' host addresses. */
  readonly addresses: readonly NodeAddress[];
  /** What people chose; default {@link defaultNodeSettings}. */
  readonly settings?: NodeSettings;
  /** Where images are; default: on the disk of `directory`. */
  readonly imagesDirectory?: string;
  /** Ids of the images that containers of this machine were made from; default: those of this node. */
  imagesInUse?(): Promise<ReadonlySet<string>>;
  /** Replaces the machine's own amounts, by resource name. */
  readonly capacity?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  /** For how long the node's Lease holds; default 40. */
  readonly leaseSeconds?: number;
  /** Port of the kubelet server. */
  readonly kubeletPort: number;
  /** `v1.36.2+kanoe.0.1.0`. */
  readonly kubeletVersion: string;
  /** The volumes that the machine itself keeps; absent: it keeps none. */
  readonly localVolumes?: LocalVolumeUse;
  /** Why the pod network cannot serve pods now; absent or resolving to undefined: it can. */
  networkProblem?(): Promise<string | undefined>;
  /** Hears of failures that the agent retries. */
  onError?(error: unknown): void;
}

/** One node: runs the pods that are bound to it. */
export interface NodeAgent {
  readonly nodeName: string;
  readonly runtime: ContainerRuntime;
  readonly probes: ProbeCounts;
  /** How full the volumes of a pod are, as measured last. */
  volumeStats(podUid: string): readonly VolumeStats[];
  /** Begins to register and to run pods. */
  start(): void;
  /** Resolves when the Node object says Ready and the pods have been read once. */
  readonly ready: Promise<void>;
  /** Ends the pods in the order of their priorities, if the settings give them time for it. */
  shutDown(): Promise<void>;
  /** Stops watching; containers go on. */
  stop(): Promise<void>;
  pods(): readonly Live<Pod>[];
  podByName(namespace: string, name: string): Live<Pod> | undefined;
  /** The newest attempt of a container, running or not. */
  containerFor(namespace: string, pod: string, container: string): ContainerStatus | undefined;
  /** The sandbox that works, for port-forward. */
  sandboxFor(namespace: string, pod: string): string | undefined;
  /**
   * A container's log, taken from its files, across restarts of the agent and rotation. Throws `StatusError` with
   * upstream's words when there is no such pod, container or attempt.
   */
  logs(options: PodLogOptions): AsyncIterable<Buffer>;
}

/** A node agent (kubelet) over any runtime, image service and API server. */
export function createNodeAgent(options: NodeAgentOptions): NodeAgent {
  const { client, clock, nodeName, runtime } = options;
  const stopping = new AbortController();
  const { signal } = stopping;
  setMaxListeners(0, signal);
  const onError = (error: unknown): void => {
    if (!signal.aborted) options.onError?.(error);
  };
  let workers: PodWorkers | undefined;
  const probes = new ProbeCounts();
  const podVolumes = new Map<string, PodVolumes>();
  const { settings = defaultNodeSettings } = options;
  let housekeeping: Housekeeping | undefined;
  let staticPods: StaticPods | undefined;
  let refreshStatus: () => Promise<void> = () => Promise.resolve();
  let shuttingDown = false;
  let seenNode: Node | undefined;
  let running: Promise<void> | undefined;
  let markReady = (): void => undefined;
  let failReady: (error: unknown) => void = () => undefined;
  const ready = new Promise<void>((resolve, reject) => {
    markReady = resolve;
    failReady = reject;
  });
  ready.catch(() => undefined);

  async function problem(): Promise<string | undefined> {
    if (shuttingDown) return 'node is shutting down';
    try {
      await runtime.listSandboxes();
    } catch (error) {
      return `container runtime is down: ${error instanceof Error ? error.message : String(error)}`;
    }
    const network = await options.networkProblem?.();
    return network === undefined ? undefined : `container runtime network not ready: ${network}`;
  }

  async function run(): Promise<void> {
    await mkdir(options.directory, { recursive: true, mode: 0o711 });
    const memoryDirectory = memoryDirectoryOf(options.directory);
    await shareNodeDirectory(options.directory, join(options.directory, 'containers'));
    const [capacity, info] = await Promise.all([
      nodeCapacity(options.directory, settings, options.capacity),
      nodeSystemInfo(`${runtime.name}://${runtime.version}`, options.kubeletVersion),
      mountTmpfs(memoryDirectory, undefined),
    ]);
    const services = followServices({ client, clock, signal, onError });
    const tokens = createServiceAccountTokens({ client, clock });
    const plugins = createNodePlugins({
      client,
      clock,
      nodeName,
      directory: options.directory,
      tokens,
      onStatusChange: () => void registration.refresh().catch(onError),
      onClaimDriver: () => workers?.onClaimDriver(),
      onDeviceHealth: () => workers?.retry(),
      onError,
    });
    signal.addEventListener('abort', () => plugins.close(), { once: true });
    const context: NodeContext = {
      client,
      clock,
      runtime,
      images: options.images,
      puller: createImagePuller(options),
      events: options.events,
      config: createConfigSource({ client, clock }),
      tokens,
      restarts: new KeyedBackoff(
        clock,
        Math.min(10_000, settings.maxRestartBackoffMs),
        settings.maxRestartBackoffMs,
      ),
      services: () => services.all(),
      dns: { clusterDns: options.clusterDns, clusterDomain: options.clusterDomain },
      hostIPs: options.addresses.filter(({ type }) => type === 'InternalIP').map(({ address }) => address),
      allocatable: capacity.allocatable,
      memoryBytes: capacity.memoryBytes,
      admission: createNodeAdmission({
        client,
        nodeName,
        node: () => seenNode,
        view: () => ({
          allocatable: capacity.allocatable,
          allowedUnsafeSysctls: settings.allowedUnsafeSysctls,
          pressure: housekeeping?.pressure() ?? [],
          keepsGroupsStrict: runtime.keepsGroupsStrict === true,
          shuttingDown,
        }),
      }),
      csi: plugins.volumes,
      claims: plugins.claims,
      devices: plugins.devices,
      podVolumes,
      ...(options.localVolumes && { localVolumes: options.localVolumes }),
      probes,
      seccompDefault: settings.seccompDefault ? 'RuntimeDefault' : 'Unconfined',
      directory: options.directory,
      memoryDirectory,
      onError,
    };
    const registration = new NodeRegistration({
      client,
      clock,
      nodeName,
      labels: nodeLabels(options),
      podCIDRs: options.podCIDRs ?? [],
      status: async (previous) =>
        nodeStatus({
          clock,
          capacity: withDevices(capacity, plugins.devices),
          addresses: options.addresses,
          info,
          images: options.images,
          kubeletPort: options.kubeletPort,
          problem: await problem(),
          pressure: housekeeping?.pressure() ?? [],
          runtime,
          previous,
          volumesInUse: plugins.volumes.inUse(),
        }),
      signal,
      onError,
    });
    await plugins.recover();
    workers = new PodWorkers(context, {
      sandboxes: await runtime.listSandboxes(),
      containers: await runtime.listContainers(),
    });
    await startStaticPods(workers, registration);
    refreshStatus = () => registration.refresh();
    const podsRead = followPods(workers);
    const node = await registration.register();
    staticPods?.reconcile();
    followNode();
    plugins.start().catch(onError);
    void keepNodeLease({
      client,
      clock,
      node,
      signal,
      onError,
      ...(options.leaseSeconds !== undefined && { durationSeconds: options.leaseSeconds }),
    });
    await podsRead;
    while ((await problem()) !== undefined) await sleep(clock, NOT_READY_POLL_MS, signal);
    await registration.refresh();
    markReady();
    housekeeping = createHousekeeping({
      agent: options,
      context,
      settings,
      workers,
      registration,
      node: () => seenNode,
    });
    await housekeeping.run(signal);
  }

  /** Resolves when the pods of the node have been read once. */
  function followPods(target: PodWorkers): Promise<void> {
    return new Promise((resolve) => {
      void reflect({
        resource: selecting(client.for(pods), { fieldSelector: `spec.nodeName=${nodeName}` }),
        clock,
        signal,
        replace: (list) => {
          target.replace(list.filter((pod) => !isMirrorPod(pod)));
          staticPods?.replaceMirrors(list.filter(isMirrorPod));
          resolve();
        },
        apply: (event) => {
          if (isMirrorPod(event.object)) staticPods?.applyMirror(event.type, event.object);
          else target.apply(event);
        },
        onError,
      });
    });
  }

  async function startStaticPods(target: PodWorkers, registration: NodeRegistration): Promise<void> {
    if (settings.staticPodPath === undefined) return;
    staticPods = new StaticPods({
      clock,
      client,
      nodeName,
      path: settings.staticPodPath,
      node: () => registration.node,
      onPods: (list) => target.setStatic(list),
      onMirror: (pod, mirror) => target.setMirror(pod, mirror),
      onError,
    });
    await staticPods.start();
  }

  function followNode(): void {
    void reflect({
      resource: selecting(client.for(nodes), { fieldSelector: `metadata.name=${nodeName}` }),
      clock,
      signal,
      replace: ([node]) => (seenNode = node),
      apply: ({ type, object }) => (seenNode = type === 'DELETED' ? undefined : object),
      onError,
    });
  }

  return {
    nodeName,
    runtime,
    volumeStats: (uid) => podVolumes.get(uid)?.stats() ?? [],
    probes,
    ready,
    start: () => {
      running ??= run().catch((error: unknown) => {
        failReady(error);
        onError(error);
      });
    },
    shutDown: async () => {
      if (settings.shutdownGrace.length === 0 || !workers) return;
      shuttingDown = true;
      await refreshStatus().catch(onError);
      await shutDown(workers.taken(), settings.shutdownGrace);
    },
    stop: async () => {
      stopping.abort();
      staticPods?.close();
      failReady(new Error('the node agent was stopped'));
      await running;
      await workers?.close();
    },
    pods: () => workers?.pods() ?? [],
    podByName: (namespace, name) => workers?.byName(namespace, name)?.pod,
    containerFor: (namespace, pod, container) =>
      workers?.byName(namespace, pod)?.observer.histories.get(container)?.[0],
    sandboxFor: (namespace, pod) => workers?.byName(namespace, pod)?.observer.sandbox?.id,
    logs: (logOptions) => {
      const worker = workers?.byName(logOptions.namespace, logOptions.pod);
      const follow = AbortSignal.any([signal, ...(logOptions.signal ? [logOptions.signal] : [])]);
      return podLogs(worker && { pod: worker.pod, observer: worker.observer }, {
        ...logOptions,
        clock,
        signal: follow,
      });
    },
  };
}

const NOT_READY_POLL_MS = 100;

function nodeLabels(options: NodeAgentOptions): Readonly<Record<string, string>> {
  const os = goOperatingSystem();
  const architecture = goArchitecture();
  return {
    'beta.kubernetes.io/arch': architecture,
    'beta.kubernetes.io/os': os,
    'kubernetes.io/arch': architecture,
    'kubernetes.io/hostname': options.nodeName,
    'kubernetes.io/os': os,
    ...options.labels,
  };
}
