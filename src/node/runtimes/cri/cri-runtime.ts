import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { sleep, type Clock, type Timer } from '../../../base/clock.ts';
import {
  RuntimeError,
  type ContainerResources,
  type ContainerRuntime,
  type ContainerSpec,
  type ContainerStats,
  type ContainerStatus,
  type ExecOptions,
  type ExecSession,
  type SandboxSpec,
  type SandboxStatus,
} from '../../container-runtime.ts';
import type { ForeignPodNetwork } from '../../foreign-pod-network.ts';
import type { ImageService } from '../../image-service.ts';
import { Cgroups, detectCgroups } from '../native/cgroups.ts';
import { signalNumber, signalProcess } from '../processes.ts';
import { criStatus, CriError, type CriConnection, type EventSource } from './connect-cri.ts';
import {
  containerConfig,
  kept,
  ownLabels,
  resourcesOf,
  sandboxConfig,
  type Ownership,
} from './cri-config.ts';
import { writeCriRecord } from './cri-record.ts';
import { containerStatus, sandboxStatus } from './cri-status.ts';
import { killExecuted, siblingsOf } from './executed-process.ts';
import { forwardPort } from './forward-port.ts';
import type { CriMethods, SandboxConfig } from './messages.ts';
import { remoteSession } from './remote-session.ts';

export interface CriRuntimeOptions {
  readonly connection: CriConnection;
  /** As the person wrote it. */
  readonly endpoint: string;
  readonly owner: Ownership;
  readonly images: ImageService;
  readonly network: ForeignPodNetwork;
  readonly clock: Clock;
  /** Keeps what `purgeCriRuntime` has to know; holds the folder of seccomp profiles. */
  readonly directory: string;
  /** Cgroup below the root of each hierarchy that holds the pods'. */
  readonly cgroupRoot: string;
  /** Whether the runtime gives cgroups to systemd, which has names of its own for them. */
  readonly systemdCgroups?: boolean;
  onError?(error: unknown): void;
}

/** How often it is asked what runs, by who tells of it otherwise. */
const relistMs = { cri: 2_000, containerd: 1_000, nobody: 200 } as const;
/** The same while nothing runs. */
const idleRelistMs = 2_000;
/** When it is asked after containerd told of an event. */
const afterEventMs = [10, 60, 250];
/** A kill for want of memory is told after the end of the container. */
const oomNewsMs = 30;
const oomNewsTries = 5;

/**
 * Runs containers through the CRI endpoint of a runtime on this machine (containerd, CRI-O). The runtime keeps all state: an
 * agent that comes later finds its containers by their labels.
 */
export async function createCriRuntime(options: CriRuntimeOptions): Promise<ContainerRuntime> {
  const { connection, endpoint, owner, cgroupRoot } = options;
  await writeCriRecord(options.directory, { endpoint, owner, cgroupRoot });
  const { runtime_name, runtime_version } = await connection.call('Version', { version: 'v1' });
  const { runtime_handlers, features } = await connection.call('Status', { verbose: false });
  const runtime = new CriRuntime(options, {
    name: runtime_name,
    version: runtime_version,
    keepsGroupsStrict: features?.supplemental_groups_policy === true,
    recursiveReadOnlyMounts: runtime_handlers.some(
      (handler) => handler.name === '' && handler.features?.recursive_read_only_mounts === true,
    ),
    cgroups: new Cgroups(await detectCgroups(), options.cgroupRoot),
  });
  await runtime.adopt();
  return runtime;
}

interface Facts {
  readonly name: string;
  readonly version: string;
  readonly keepsGroupsStrict: boolean;
  readonly recursiveReadOnlyMounts: boolean;
  readonly cgroups: Cgroups;
}

class CriRuntime implements ContainerRuntime {
  readonly name: string;
  readonly version: string;
  readonly limitations: readonly string[] = [];
  readonly keepsGroupsStrict: boolean;
  readonly recursiveReadOnlyMounts: boolean;
  readonly #options: CriRuntimeOptions;
  readonly #cgroups: Cgroups;
  readonly #clock: Clock;
  readonly #containers = new Map<string, ContainerStatus>();
  readonly #sandboxes = new Map<string, SandboxSpec>();
  readonly #listeners = new Set<(status: ContainerStatus) => void>();
  /** Serialises what is learned about a container. */
  readonly #learning = new Map<string, Promise<ContainerStatus | undefined>>();
  #events: { close(): void } | undefined;
  #relisting: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;
  #told: EventSource | undefined;
  #soon = false;
  #away = false;
  #closed = false;

  /** A runtime that is away is told of once. */
  readonly #failed = (error: unknown): void => {
    const away = error instanceof CriError && error.status === criStatus.unavailable;
    if (this.#closed || (away && this.#away)) return;
    this.#away = away;
    this.#options.onError?.(error);
  };

  constructor(options: CriRuntimeOptions, facts: Facts) {
    this.#options = options;
    this.#clock = options.clock;
    this.#cgroups = facts.cgroups;
    this.name = facts.name;
    this.version = facts.version;
    this.keepsGroupsStrict = facts.keepsGroupsStrict;
    this.recursiveReadOnlyMounts = facts.recursiveReadOnlyMounts;
  }

  /** Takes over what an earlier agent left and begins to watch. */
  async adopt(): Promise<void> {
    await this.#relist();
    for (const { id, ip, ready } of await this.listSandboxes()) {
      if (ready && ip !== undefined) await this.#attached(id, ip);
    }
    this.#follow();
    this.#schedule();
  }

  async runSandbox(spec: SandboxSpec, signal?: AbortSignal): Promise<SandboxStatus> {
    const group = podGroup(spec);
    await this.#cgroups.create(group, spec.resources);
    const { pod_sandbox_id } = await this.#call(
      'RunPodSandbox',
      {
        config: this.#sandboxConfig(spec, spec.privileged === true),
        runtime_handler: spec.runtimeHandler ?? '',
      },
      { ...(signal && { signal }), timeoutMs: sandboxTimeoutMs },
    );
    this.#sandboxes.set(pod_sandbox_id, spec);
    const status = await this.#statusOfSandbox(pod_sandbox_id);
    if (!status) throw new RuntimeError('NOT_FOUND', `sandbox ${pod_sandbox_id} went as soon as it was made`);
    if (status.ip === undefined) return status;
    try {
      await this.#attached(pod_sandbox_id, status.ip);
      return status;
    } catch (cause) {
      await this.removeSandbox(pod_sandbox_id);
      const detail = cause instanceof Error ? cause.message : String(cause);
      const message = `failed to setup network for sandbox "${pod_sandbox_id}": ${detail}`;
      throw new RuntimeError('NETWORK', message, { cause });
    }
  }

  async stopSandbox(id: string): Promise<void> {
    await this.#unlessGone(this.#call('StopPodSandbox', { pod_sandbox_id: id }));
    await this.#options.network.detached(id);
    const inside = [...this.#containers.values()].filter(({ sandboxId }) => sandboxId === id);
    await Promise.all(inside.map((container) => this.#learn(container.id)));
  }

  async removeSandbox(id: string): Promise<void> {
    const spec = await this.#sandboxSpec(id).catch(unlessNotFound);
    await this.stopSandbox(id);
    await this.#unlessGone(this.#call('RemovePodSandbox', { pod_sandbox_id: id }));
    for (const [container, { sandboxId }] of this.#containers) {
      if (sandboxId === id) this.#containers.delete(container);
    }
    this.#sandboxes.delete(id);
    const others = [...this.#sandboxes.values()].some((other) => other.podUid === spec?.podUid);
    if (spec && !others) await this.#cgroups.remove(podGroup(spec), this.#clock);
  }

  async listSandboxes(): Promise<readonly SandboxStatus[]> {
    const { items } = await this.#call('ListPodSandbox', { filter: this.#own() });
    const all = await Promise.all(items.map(({ id }) => this.#statusOfSandbox(id)));
    return all.filter((status) => status !== undefined);
  }

  async createContainer(sandboxId: string, spec: ContainerSpec, signal?: AbortSignal): Promise<string> {
    signal?.throwIfAborted();
    const { images, owner, directory } = this.#options;
    const sandbox = await this.#sandboxSpec(sandboxId);
    const image = await images.get(spec.imageId);
    if (!image) throw new RuntimeError('NOT_FOUND', `image ${spec.imageId} (${spec.image}) is not present`);
    const config = containerConfig({
      sandboxId,
      sandbox,
      spec,
      image,
      owner,
      seccompDirectory: join(directory, 'seccomp'),
    });
    const { container_id } = await this.#call('CreateContainer', {
      pod_sandbox_id: sandboxId,
      config,
      sandbox_config: this.#sandboxConfig(sandbox, sandbox.privileged === true || spec.security.privileged),
    });
    await this.#learn(container_id);
    return container_id;
  }

  async startContainer(id: string): Promise<void> {
    try {
      await this.#call('StartContainer', { container_id: id });
    } catch (error) {
      await this.#learn(id);
      if (!(error instanceof CriError)) throw error;
      throw new RuntimeError('START_FAILED', error.message, { cause: error });
    }
    const status = await this.#learn(id);
    if (!status) throw new RuntimeError('NOT_FOUND', `container ${id} is gone`);
    this.#schedule();
  }

  async stopContainer(id: string, graceMs: number): Promise<void> {
    const status = await this.#learn(id);
    if (status?.state !== 'running') return;
    const signal = status.annotations[kept.stopSignal];
    const own = signal !== undefined && status.pid !== undefined && graceMs > 0;
    // The runtime would send the image's signal: one that the pod asks for is sent from here.
    if (own && status.pid !== undefined) {
      signalProcess(status.pid, signalNumber(signal));
      await this.#exit(id, graceMs);
    }
    const timeout = own ? 0 : Math.ceil(graceMs / 1000);
    const request = { container_id: id, timeout };
    await this.#unlessGone(this.#call('StopContainer', request, { timeoutMs: graceMs + stopTimeoutMs }));
    while ((await this.#learn(id))?.state === 'running') await sleep(this.#clock, stopPollMs);
  }

  async removeContainer(id: string): Promise<void> {
    await this.stopContainer(id, 0);
    await this.#unlessGone(this.#call('RemoveContainer', { container_id: id }));
    this.#containers.delete(id);
  }

  async listContainers(sandboxId?: string): Promise<readonly ContainerStatus[]> {
    await this.#relist();
    const all = [...this.#containers.values()];
    return sandboxId === undefined ? all : all.filter((status) => status.sandboxId === sandboxId);
  }

  async containerStatus(id: string): Promise<ContainerStatus | undefined> {
    return await this.#learn(id);
  }

  onContainerEvent(listener: (status: ContainerStatus) => void): { close(): void } {
    const own = (status: ContainerStatus): void => listener(status);
    this.#listeners.add(own);
    return { close: () => void this.#listeners.delete(own) };
  }

  async updateResources(id: string, resources: ContainerResources): Promise<void> {
    await this.#call('UpdateContainerResources', { container_id: id, linux: resourcesOf(resources) });
  }

  async updateSandboxResources(id: string, resources: ContainerResources): Promise<void> {
    if (!this.#options.systemdCgroups)
      await this.#cgroups.change(podGroup(await this.#sandboxSpec(id)), resources);
  }

  async exec(id: string, { command, tty, stdin, signal }: ExecOptions): Promise<ExecSession> {
    const { pid } = await this.#running(id);
    const before = new Set(signal && pid !== undefined ? await siblingsOf(pid) : []);
    const { url } = await this.#call('Exec', {
      container_id: id,
      cmd: command,
      tty,
      stdin,
      stdout: true,
      stderr: !tty,
    });
    signal?.throwIfAborted();
    const kill = (): void => {
      if (pid !== undefined) void killExecuted({ containerPid: pid, command, before });
    };
    const session = await remoteSession({ url, tty, stdin, kill });
    if (signal?.aborted) kill();
    signal?.addEventListener('abort', kill, { once: true });
    void session.exited.catch(() => undefined).finally(() => signal?.removeEventListener('abort', kill));
    return session;
  }

  async attach(
    id: string,
    { tty, stdin }: { readonly tty: boolean; readonly stdin: boolean },
  ): Promise<ExecSession> {
    await this.#running(id);
    const { url } = await this.#call('Attach', { container_id: id, tty, stdin, stdout: true, stderr: !tty });
    return remoteSession({ url, tty, stdin, exitCode: async () => (await this.#exit(id))?.exitCode ?? 0 });
  }

  async connectPort(sandboxId: string, port: number): Promise<Duplex> {
    const { url } = await this.#call('PortForward', { pod_sandbox_id: sandboxId, port: [port] });
    return forwardPort(url, port, this.#clock);
  }

  async stats(id: string): Promise<ContainerStats | undefined> {
    if (this.#containers.get(id)?.state !== 'running') return undefined;
    const { stats } = await this.#call('ContainerStats', { container_id: id }).catch(unlessEnded);
    const cpu = stats?.cpu?.usage_core_nano_seconds;
    const workingSet = stats?.memory?.working_set_bytes;
    if (!cpu || !workingSet) return undefined;
    const pids = await this.#processesOf(id);
    return {
      at: this.#clock.now(),
      cpuNanoseconds: cpu.value,
      memoryWorkingSetBytes: workingSet.value,
      memoryUsageBytes: stats?.memory?.usage_bytes?.value ?? workingSet.value,
      ...(pids !== undefined && { pids }),
    };
  }

  async reopenLog(id: string): Promise<void> {
    await this.#call('ReopenContainerLog', { container_id: id });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#events?.close();
    await this.#relisting;
    this.#options.connection.close();
  }

  #call<Name extends keyof CriMethods>(
    name: Name,
    request: CriMethods[Name][0],
    options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
  ): Promise<CriMethods[Name][1]> {
    return this.#options.connection.call(name, request, options);
  }

  #own(): { readonly label_selector: Readonly<Record<string, string>> } {
    return { label_selector: ownLabels(this.#options.owner) };
  }

  #sandboxConfig(spec: SandboxSpec, privileged: boolean): SandboxConfig {
    const { owner, systemdCgroups } = this.#options;
    const cgroupParent = systemdCgroups
      ? `kanoe_${owner.clusterId}.slice`
      : join(this.#cgroups.root, podGroup(spec));
    return sandboxConfig({ spec, owner, cgroupParent, privileged });
  }

  async #statusOfSandbox(id: string): Promise<SandboxStatus | undefined> {
    const { status } = await this.#call('PodSandboxStatus', { pod_sandbox_id: id }).catch(noStatus);
    if (!status) return undefined;
    this.#remember(id, status.annotations);
    return sandboxStatus(status);
  }

  async #attached(sandboxId: string, ip: string): Promise<void> {
    const {
      podNamespace: namespace,
      podName: name,
      podUid: uid,
      hostPorts,
    } = await this.#sandboxSpec(sandboxId);
    await this.#options.network.attached({ sandboxId, ip, hostPorts, pod: { namespace, name, uid } });
  }

  #remember(id: string, annotations: Readonly<Record<string, string>>): void {
    const text = annotations[kept.sandbox];
    if (text !== undefined && !this.#sandboxes.has(id)) {
      this.#sandboxes.set(id, JSON.parse(text) as SandboxSpec);
    }
  }

  async #sandboxSpec(id: string): Promise<SandboxSpec> {
    if (!this.#sandboxes.has(id)) await this.#statusOfSandbox(id);
    const spec = this.#sandboxes.get(id);
    if (!spec) throw new RuntimeError('NOT_FOUND', `there is no sandbox ${id}`);
    return spec;
  }

  async #running(id: string): Promise<ContainerStatus> {
    const status = await this.#learn(id);
    if (!status) throw new RuntimeError('NOT_FOUND', `there is no container ${id}`);
    if (status.state !== 'running') throw new RuntimeError('NOT_RUNNING', `container ${id} is not running`);
    return status;
  }

  /** Resolves with the status of a container that has ended, or after `patienceMs` with whatever it is then. */
  async #exit(id: string, patienceMs?: number): Promise<ContainerStatus | undefined> {
    const over = new AbortController();
    const ended = new Promise<ContainerStatus | undefined>((resolve) => {
      const subscription = this.onContainerEvent((status) => {
        if (status.id === id && status.state === 'exited') resolve(status);
      });
      over.signal.addEventListener('abort', () => {
        subscription.close();
        resolve(undefined);
      });
    });
    const timer = patienceMs === undefined ? undefined : this.#clock.after(patienceMs, () => over.abort());
    try {
      const now = await this.#learn(id);
      if (now?.state !== 'running') return now;
      return (await ended) ?? this.#containers.get(id);
    } finally {
      timer?.cancel();
      over.abort();
    }
  }

  /** Asks for the status of a container and tells those who listen what is new. */
  #learn(id: string): Promise<ContainerStatus | undefined> {
    const turn = (this.#learning.get(id) ?? Promise.resolve(undefined))
      .catch(() => undefined)
      .then(() => this.#ask(id))
      .finally(() => {
        if (this.#learning.get(id) === turn) this.#learning.delete(id);
      });
    this.#learning.set(id, turn);
    return turn;
  }

  async #ask(id: string): Promise<ContainerStatus | undefined> {
    const before = this.#containers.get(id);
    if (before?.state === 'exited') return before;
    const status = await this.#statusNow(id);
    if (!status) {
      this.#containers.delete(id);
      return undefined;
    }
    this.#containers.set(id, status);
    if (status.state === before?.state || status.state === 'created') return status;
    if (before?.state === 'created' && status.state === 'exited' && status.reason !== 'ContainerCannotRun') {
      this.#emit({ ...status, state: 'running' });
    }
    this.#emit(status);
    return status;
  }

  async #statusNow(id: string): Promise<ContainerStatus | undefined> {
    for (let attempt = 0; ; attempt += 1) {
      const answer = await this.#call('ContainerStatus', { container_id: id, verbose: true }).catch(
        noContainer,
      );
      if (!answer.status) return undefined;
      const status = containerStatus(answer.status, answer.info);
      const mayBeMemory = status.exitCode === 137 && status.reason === 'Error';
      if (!mayBeMemory || attempt === oomNewsTries) return status;
      await sleep(this.#clock, oomNewsMs);
    }
  }

  #emit(status: ContainerStatus): void {
    for (const listener of this.#listeners) listener(status);
  }

  /** Compares what the runtime has with what is known (as the kubelet's PLEG does). */
  #relist(): Promise<void> {
    const turn = this.#relisting
      .catch(() => undefined)
      .then(async () => {
        const { containers } = await this.#call('ListContainers', { filter: this.#own() });
        this.#away = false;
        const listed = new Set(containers.map(({ id }) => id));
        for (const id of this.#containers.keys()) if (!listed.has(id)) this.#containers.delete(id);
        const changed = containers.filter(
          ({ id, state }) => statesOf.get(state) !== this.#containers.get(id)?.state,
        );
        await Promise.all(changed.map(({ id }) => this.#learn(id)));
      });
    this.#relisting = turn.catch(() => undefined);
    return turn;
  }

  #schedule(): void {
    if (this.#closed) return;
    this.#timer?.cancel();
    const busy = [...this.#containers.values()].some(({ state }) => state !== 'exited');
    this.#timer = this.#clock.after(busy ? relistMs[this.#told ?? 'nobody'] : idleRelistMs, () => {
      void this.#relist()
        .catch(this.#failed)
        .then(() => this.#schedule());
    });
  }

  /** Listens to the runtime itself where it tells, one way or another. */
  #follow(source: EventSource = 'cri'): void {
    if (this.#closed) return;
    this.#told = source;
    this.#events = this.#options.connection.events(
      source,
      (id) => {
        if (id === undefined) this.#relistSoon();
        else if (this.#containers.has(id)) void this.#learn(id).catch(this.#failed);
      },
      (why) => {
        this.#told = undefined;
        this.#schedule();
        if (why === 'failed') this.#clock.after(idleRelistMs, () => this.#follow());
        else if (source === 'cri') this.#follow('containerd');
      },
    );
  }

  /** Whoever tells of an end may be ahead of the status. */
  #relistSoon(): void {
    if (this.#soon) return;
    this.#soon = true;
    for (const [index, ms] of afterEventMs.entries())
      this.#clock.after(ms, () => {
        if (index === 0) this.#soon = false;
        if (!this.#closed) void this.#relist().catch(this.#failed);
      });
  }

  /** CRI does not count processes of a container; its cgroup does. */
  async #processesOf(id: string): Promise<number | undefined> {
    const sandbox = this.#sandboxes.get(this.#containers.get(id)?.sandboxId ?? '');
    if (!sandbox || this.#options.systemdCgroups) return undefined;
    return (await this.#cgroups.stats(`${podGroup(sandbox)}/${id}`, this.#clock))?.pids;
  }

  async #unlessGone(call: Promise<unknown>): Promise<void> {
    await call.catch(unlessNotFound);
  }
}

const sandboxTimeoutMs = 240_000;
const stopTimeoutMs = 60_000;
const stopPollMs = 20;

const statesOf: ReadonlyMap<string, ContainerStatus['state']> = new Map([
  ['CONTAINER_CREATED', 'created'],
  ['CONTAINER_RUNNING', 'running'],
  ['CONTAINER_EXITED', 'exited'],
  ['CONTAINER_UNKNOWN', 'exited'],
]);

/** The pod's own cgroup below the node's. */
function podGroup(spec: SandboxSpec): string {
  return `pod${spec.podUid}`;
}

function unlessNotFound(error: unknown): undefined {
  if (error instanceof RuntimeError && error.code === 'NOT_FOUND') return undefined;
  throw error;
}

function noStatus(error: unknown): { readonly status: null } {
  unlessNotFound(error);
  return { status: null };
}

function noContainer(error: unknown): CriMethods['ContainerStatus'][1] {
  unlessNotFound(error);
  return { status: null, info: {} };
}

/** A container may end while it is measured. */
function unlessEnded(error: unknown): CriMethods['ContainerStats'][1] {
  if (error instanceof CriError && error.status !== criStatus.unavailable) return { stats: null };
  throw error;
}
