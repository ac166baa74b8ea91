import { watch, type FSWatcher } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
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
import type { ImageService } from '../../image-service.ts';
import type { PodNetwork } from '../../pod-network.ts';
import { attachSession } from '../attach-session.ts';
import { statusOf, type Progress } from '../container-progress.ts';
import type { LogRotation } from '../cri-log-writer.ts';
import { writeState } from '../state-file.ts';
import { Cgroups, detectCgroups } from './cgroups.ts';
import { containerConfig, containerGroups, overlayOptions, startShim } from './container-launch.ts';
import { ContainerStreams } from './container-streams.ts';
import { FifoPool } from './fifo-pool.ts';
import { holdsStdin, type Launcher } from './launcher.ts';
import { createLaunchers, type Launchers } from './launchers.ts';
import { layoutFolders, nativeLayout, type NativeLayout } from './layout.ts';
import { readPrivileges, type Privileges } from './privileges.ts';
import {
  isShimOf,
  readBootId,
  readFact,
  readRecords,
  type ContainerRecord,
  type SandboxRecord,
} from './records.ts';
import { newId, Sandboxes } from './sandboxes.ts';
import { findMapTool } from './id-mapped-mounts.ts';
import { mapRoot } from './map-root.ts';
import { newContainer, type Container } from './tracked-container.ts';
import type { LauncherChoice } from './select-launcher.ts';
import { shimScript } from './shim-script.ts';
import { execInContainer } from './exec-in-container.ts';
import { failureMessage } from './failure-message.ts';
import { terminalSizer } from './resize-terminal.ts';
import { terminalRest } from './terminal-rest.ts';
import { ancestorsOf, processExists, signalNumber, signalProcess } from '../processes.ts';

export interface NativeRuntimeOptions {
  /** State that lasts, on a file system that overlayfs can write to; made with mode 0700. */
  readonly directory: string;
  /** Sockets, namespaces and what a reboot may take, below `/run`. */
  readonly runDirectory: string;
  readonly clusterId: string;
  readonly images: ImageService;
  readonly network: PodNetwork;
  readonly clock: Clock;
  /** Cgroup below the root of each hierarchy that holds all of the cluster's; default `kanoe-CLUSTERID`. */
  readonly cgroupRoot?: string;
  readonly launcher?: LauncherChoice;
  readonly logs?: LogRotation;
  /** Where `Localhost` seccomp profiles are; default `seccomp` in the directory. */
  readonly seccompDirectory?: string;
  /** Folder of the folders of all clusters' run directories on this machine; user ids of pods are not given out twice. */
  readonly neighbours?: string;
}

const pollMs = 2000;
const outputGraceMs = 2000;

/**
 * Runs containers on this machine's kernel. A runtime made on the directory of an earlier one takes over its sandboxes and
 * containers; nothing is restarted. While no agent reads, a container that fills a pipe (64 KiB) waits for the next one.
 */
export async function createNativeRuntime(options: NativeRuntimeOptions): Promise<ContainerRuntime> {
  const layout = nativeLayout(options.directory, options.runDirectory);
  await Promise.all(
    [options.directory, options.runDirectory].map((path) => mkdir(path, { recursive: true, mode: 0o700 })),
  );
  await Promise.all(layoutFolders(layout).map((path) => mkdir(path, { recursive: true, mode: 0o700 })));
  const mounts = await detectCgroups();
  const cgroups = new Cgroups(mounts, options.cgroupRoot ?? `kanoe-${options.clusterId}`);
  const fifos = new FifoPool(layout.fifos);
  const [launchers, bootId, privileges, mapTool] = await Promise.all([
    createLaunchers(options.launcher ?? 'auto', layout, mounts),
    readBootId(),
    readPrivileges(),
    findMapTool(),
    fifos.open(),
    writeFile(`${layout.shimScript}.new`, shimScript).then(() => renameOver(layout.shimScript)),
    writeFile(layout.agent, `${process.pid}\n`),
  ]);
  const runtime = new NativeRuntime(options, {
    layout,
    cgroups,
    fifos,
    launchers,
    bootId,
    privileges,
    mapTool,
  });
  await runtime.adopt();
  return runtime;
}

async function renameOver(path: string): Promise<void> {
  await rename(`${path}.new`, path);
}

interface Machine {
  readonly layout: NativeLayout;
  readonly cgroups: Cgroups;
  readonly fifos: FifoPool;
  readonly launchers: Launchers;
  readonly bootId: string;
  readonly privileges: Privileges;
  readonly mapTool: Awaited<ReturnType<typeof findMapTool>>;
}

class NativeRuntime implements ContainerRuntime {
  readonly name = 'native';
  readonly version: string;
  readonly limitations: readonly string[];
  readonly keepsGroupsStrict = true;
  readonly recursiveReadOnlyMounts: boolean;
  readonly blockDevices = true;
  readonly #options: NativeRuntimeOptions;
  readonly #machine: Machine;
  readonly #clock: Clock;
  readonly #sandboxes: Sandboxes;
  readonly #containers = new Map<string, Container>();
  readonly #listeners = new Set<(status: ContainerStatus) => void>();
  #watchers: FSWatcher[] = [];
  #poll: Timer | undefined;
  #closed = false;

  constructor(options: NativeRuntimeOptions, machine: Machine) {
    this.#options = options;
    this.#machine = machine;
    this.#clock = options.clock;
    this.#sandboxes = new Sandboxes(options, machine);
    this.version = `${machine.launchers.usual.name}/${machine.launchers.usual.version}`;
    this.limitations = machine.launchers.usual.limitations;
    this.recursiveReadOnlyMounts = machine.launchers.usual.name !== 'util-linux';
  }

  /** Takes over what an earlier agent left and begins to watch. */
  async adopt(): Promise<void> {
    const { layout } = this.#machine;
    await this.#sandboxes.adopt();
    const { launchers } = this.#machine;
    for (const handler of this.#sandboxes.handlers()) await launchers.require(handler).catch(() => {});
    const { records, broken } = await readRecords<ContainerRecord>(layout.containers, 'container.json');
    for (const record of records) this.#containers.set(record.id, newContainer(record));
    for (const folder of [layout.pids, layout.exits]) {
      const watcher = watch(folder, { persistent: false }, (_event, name) => this.#observeId(name ?? ''));
      this.#watchers.push(watcher);
    }
    await Promise.all([
      ...broken.map((id) => rm(join(layout.containers, id), { recursive: true, force: true })),
      ...[...this.#containers.values()].map((container) => this.#adoptContainer(container)),
    ]);
    this.#schedulePoll();
  }

  #machineOf(sandboxId: string): Machine & { readonly launcher: Launcher } {
    const launcher = this.#machine.launchers.of(this.#sandboxes.handlerOf(sandboxId));
    return { ...this.#machine, launcher };
  }

  withoutUserNamespaces(handler: string | undefined): string | undefined {
    const { launchers, mapTool } = this.#machine;
    if ((handler ?? launchers.usual.name) === 'util-linux') return 'neither crun nor runc is used';
    return 'missing' in mapTool ? mapTool.missing : undefined;
  }

  async runSandbox(spec: SandboxSpec, signal?: AbortSignal): Promise<SandboxStatus> {
    await this.#machine.launchers.require(spec.runtimeHandler);
    return this.#sandboxes.run(spec, signal);
  }

  async stopSandbox(id: string): Promise<void> {
    await Promise.all(this.#containersOf(id).map((container) => this.stopContainer(container.record.id, 0)));
    await this.#sandboxes.stop(id);
  }

  async removeSandbox(id: string): Promise<void> {
    await this.stopSandbox(id);
    await Promise.all(this.#containersOf(id).map((container) => this.removeContainer(container.record.id)));
    await this.#sandboxes.remove(id);
  }

  async listSandboxes(): Promise<readonly SandboxStatus[]> {
    return this.#sandboxes.list();
  }

  async createContainer(sandboxId: string, spec: ContainerSpec, signal?: AbortSignal): Promise<string> {
    signal?.throwIfAborted();
    const sandbox = this.#sandboxes.get(sandboxId);
    if (sandbox.stopped) throw new RuntimeError('NOT_RUNNING', `sandbox ${sandboxId} is stopped`);
    const image = await this.#options.images.get(spec.imageId);
    if (!image) throw new RuntimeError('NOT_FOUND', `image ${spec.imageId} (${spec.image}) is not present`);
    const { layout, fifos, cgroups, launcher, bootId } = this.#machineOf(sandboxId);
    const { nodeNetns } = this.#options.network;
    void cgroups.warmUp();
    const id = newId();
    const folder = join(layout.containers, id);
    await mkdir(folder, { mode: 0o711 });
    try {
      const { group } = containerGroups(sandboxId, id, { cgroups, launcher });
      const configured = containerConfig({
        ...this.#machineOf(sandboxId),
        seccompDirectory: this.#options.seccompDirectory ?? join(layout.directory, 'seccomp'),
        sandboxId,
        sandbox: sandbox.spec,
        ...(nodeNetns !== undefined && { nodeNetns }),
        processesPid: this.#processesPid(spec, sandbox),
        id,
        spec,
        image,
      });
      const [config] = await Promise.all([
        configured,
        mkdir(join(folder, 'upper'), { mode: 0o755 }),
        mkdir(join(folder, 'work'), { mode: 0o700 }),
        mkdir(join(folder, 'rootfs'), { mode: 0o755 }),
        fifos.place(['out', 'err', ...(holdsStdin(spec) ? ['in'] : [])].map((name) => join(folder, name))),
        cgroups.create(group, spec.resources).then(async () => {
          if (!spec.security.privileged && launcher.joinsCgroup)
            await cgroups.restrictDevices(group, (await configured).linux.resources.devices);
        }),
      ]);
      const inner = await mapRoot(this.#machine, sandbox, { id, config, layers: image.layers });
      const command = await launcher.prepare({ id, folder, pidFile: join(layout.pids, id), config: inner });
      const overlay = await overlayOptions(layout, id, image.layers);
      const oomScoreAdj = sandbox.users ? config.process.oomScoreAdj : undefined;
      await writeState(join(folder, 'launch.json'), { command, overlay, oomScoreAdj });
      const record: ContainerRecord = {
        id,
        sandboxId,
        podUid: sandbox.spec.podUid,
        spec,
        createdAt: this.#clock.now(),
        bootId,
        stopSignal: spec.stopSignal ?? image.config.stopSignal ?? 'SIGTERM',
      };
      await writeState(join(folder, 'container.json'), record);
      this.#containers.set(id, newContainer(record));
      return id;
    } catch (error) {
      await this.#deleteContainer(id, sandboxId);
      throw error;
    }
  }

  async startContainer(id: string): Promise<void> {
    const container = this.#container(id);
    if (container.progress.state !== 'created') {
      throw new RuntimeError('FAILED', `container ${id} has already been started`);
    }
    const { record } = container;
    const { layout, cgroups, launcher } = this.#machineOf(record.sandboxId);
    const folder = join(layout.containers, id);
    const { command, overlay, oomScoreAdj } = JSON.parse(
      await readFile(join(folder, 'launch.json'), 'utf8'),
    ) as {
      readonly command: readonly string[];
      readonly overlay: string;
      readonly oomScoreAdj?: number;
    };
    const { leaf, group, oomFile } = containerGroups(record.sandboxId, id, { cgroups, launcher });
    if (launcher.joinsCgroup && leaf !== group) await cgroups.create(leaf, {});
    container.streams = await this.#openStreams(record);
    const shim = startShim({
      layout,
      id,
      spec: record.spec,
      command,
      overlay,
      joinFiles: launcher.joinsCgroup ? cgroups.joinFiles(leaf) : [],
      oomFile,
      ...(oomScoreAdj !== undefined && { oomScoreAdj }),
      ownUsers: this.#sandboxes.get(record.sandboxId).users !== undefined,
      launcher,
    });
    container.shimPid = shim.pid;
    shim.once('error', () => void this.#observe(container, 'wrapper gone'));
    shim.once('exit', () => void this.#observe(container, 'wrapper gone'));
    await container.started.promise;
    const { progress } = container;
    if (progress.state === 'exited' && progress.pid === undefined) {
      throw new RuntimeError('START_FAILED', progress.message ?? 'the container did not start');
    }
  }

  async stopContainer(id: string, graceMs: number): Promise<void> {
    const container = this.#containers.get(id);
    if (!container || container.progress.state === 'exited') return;
    if (container.progress.state === 'created') {
      if (container.shimPid === undefined) return;
      await container.started.promise;
    }
    const { pid } = container.progress;
    if (graceMs > 0 && pid !== undefined) {
      signalProcess(pid, signalNumber(container.record.stopSignal));
      const waiting = new AbortController();
      const grace = sleep(this.#clock, graceMs, waiting.signal).catch(() => {});
      await Promise.race([container.ended.promise, grace]);
      waiting.abort();
    }
    await this.#kill(container);
    await container.ended.promise;
  }

  async removeContainer(id: string): Promise<void> {
    const container = this.#containers.get(id);
    if (!container) return;
    await this.stopContainer(id, 0);
    await container.observing;
    await container.streams?.close();
    this.#containers.delete(id);
    await this.#deleteContainer(id, container.record.sandboxId);
  }

  async listContainers(sandboxId?: string): Promise<readonly ContainerStatus[]> {
    const all = sandboxId === undefined ? [...this.#containers.values()] : this.#containersOf(sandboxId);
    return all.map((container) => statusOf(container.record, container.progress));
  }

  async containerStatus(id: string): Promise<ContainerStatus | undefined> {
    const container = this.#containers.get(id);
    return container && statusOf(container.record, container.progress);
  }

  onContainerEvent(listener: (status: ContainerStatus) => void): { close(): void } {
    const own = (status: ContainerStatus): void => listener(status);
    this.#listeners.add(own);
    return { close: () => void this.#listeners.delete(own) };
  }

  async updateResources(id: string, resources: ContainerResources): Promise<void> {
    const { record } = this.#running(id);
    await this.#machine.cgroups.change(`${record.sandboxId}/${id}`, resources);
  }

  async updateSandboxResources(id: string, resources: ContainerResources): Promise<void> {
    if (!this.#sandboxes.get(id).stopped) await this.#machine.cgroups.change(id, resources);
  }

  async exec(id: string, options: ExecOptions): Promise<ExecSession> {
    const { record, progress, shimPid } = this.#running(id);
    const { layout, launcher, cgroups } = this.#machineOf(record.sandboxId);
    const folder = join(layout.containers, id);
    const ownUsers = this.#sandboxes.get(record.sandboxId).users !== undefined;
    const container = { id, folder, pid: progress.pid ?? 0, shimPid: shimPid ?? 0, ownUsers };
    const { leaf } = containerGroups(record.sandboxId, id, { cgroups, launcher });
    const joinFiles = launcher.joinsCgroup ? cgroups.joinFiles(leaf) : [];
    return execInContainer({ launcher, container, joinFiles, clock: this.#options.clock }, options);
  }

  async attach(
    id: string,
    options: { readonly tty: boolean; readonly stdin: boolean },
  ): Promise<ExecSession> {
    const container = this.#running(id);
    if (!container.streams) throw new RuntimeError('NOT_RUNNING', `container ${id} is not running`);
    return attachSession({
      streams: container.streams,
      spec: container.record.spec,
      wantsStdin: options.stdin,
      exited: container.ended.promise.then(() => container.progress.exitCode ?? 0),
      closeShimStdin: () => {
        if (container.shimPid !== undefined) signalProcess(container.shimPid, constants.signals.SIGUSR1);
      },
      resize: terminalSizer(async () => container.progress.pid),
    });
  }

  async connectPort(sandboxId: string, port: number): Promise<Duplex> {
    return this.#sandboxes.connectPort(sandboxId, port);
  }

  async stats(id: string): Promise<ContainerStats | undefined> {
    const container = this.#container(id);
    if (container.progress.state !== 'running') return undefined;
    return this.#machine.cgroups.stats(`${container.record.sandboxId}/${id}`, this.#clock);
  }

  writableLayer(id: string): string {
    return join(this.#machine.layout.containers, id, 'upper');
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#poll?.cancel();
    for (const watcher of this.#watchers) watcher.close();
    await this.#sandboxes.close();
    await Promise.all([...this.#containers.values()].map((container) => container.observing));
    await Promise.all([...this.#containers.values()].map(async (container) => container.streams?.close()));
    await writeFile(this.#machine.layout.agent, '0\n');
  }

  #container(id: string): Container {
    const container = this.#containers.get(id);
    if (!container) throw new RuntimeError('NOT_FOUND', `container ${id} does not exist`);
    return container;
  }

  #running(id: string): Container {
    const container = this.#container(id);
    if (container.progress.state === 'running') return container;
    throw new RuntimeError('NOT_RUNNING', `container ${id} is not running`);
  }

  /** A process of the namespace that the container's processes share. */
  #processesPid({ processesOf }: ContainerSpec, { pausePid }: SandboxRecord): number | undefined {
    if (processesOf === undefined || pausePid !== undefined) return pausePid;
    const { pid } = this.#container(processesOf).progress;
    if (pid === undefined) throw new RuntimeError('START_FAILED', `container ${processesOf} does not run`);
    return pid;
  }

  #containersOf(sandboxId: string): readonly Container[] {
    return [...this.#containers.values()].filter((container) => container.record.sandboxId === sandboxId);
  }

  #openStreams(record: ContainerRecord): Promise<ContainerStreams> {
    return ContainerStreams.open({
      folder: join(this.#machine.layout.containers, record.id),
      logPath: record.spec.logPath,
      clock: this.#clock,
      ...this.#options.logs,
    });
  }

  async #adoptContainer(container: Container): Promise<void> {
    const { layout, bootId } = this.#machine;
    const { id } = container.record;
    const shim = await readFact(join(layout.shims, id));
    if (!shim) return;
    const shimPid = Number(shim.text);
    container.shimPid = shimPid;
    const alive = container.record.bootId === bootId && (await isShimOf(shimPid, id));
    container.streams = await this.#openStreams(container.record);
    await this.#observe(container, alive ? 'file' : 'wrapper gone');
  }

  #observeId(id: string): void {
    const container = this.#containers.get(id);
    if (container) void this.#observe(container, 'file');
  }

  #observe(container: Container, why: 'file' | 'wrapper gone'): Promise<void> {
    // What fails here (a full disk under a log) is tried again by the next poll; the container is not lost.
    container.observing = container.observing.then(() => this.#learn(container, why)).catch(() => {});
    return container.observing;
  }

  /** Reads what the wrapper and the launcher wrote and takes the container from created to running to exited. */
  async #learn(container: Container, why: 'file' | 'wrapper gone'): Promise<void> {
    const { id, sandboxId } = container.record;
    const { layout, cgroups, launcher } = this.#machineOf(sandboxId);
    if (container.progress.state === 'exited' || this.#closed || !this.#containers.has(id)) return;
    const [pid, exit] = await Promise.all([
      readFact(join(layout.pids, id)),
      readFact(join(layout.exits, id)),
    ]);
    if (container.progress.state === 'created' && pid) {
      container.progress = { state: 'running', pid: Number(pid.text), startedAt: pid.at };
      container.started.resolve();
      this.#emit(container);
      if (launcher.joinsCgroup && !exit && container.shimPid !== undefined) {
        await this.#expelLauncher(Number(pid.text), `${sandboxId}/${id}`);
      }
    }
    if (!exit && why === 'file') return;
    const [code = 255, oomKills = 0] = exit ? exit.text.split(' ').map(Number) : [];
    await cgroups.kill(`${sandboxId}/${id}`);
    await container.streams?.finish(outputGraceMs, await this.#terminalRest(container));
    container.streams = undefined;
    container.progress = {
      ...container.progress,
      ...(await this.#outcome(container, code, oomKills)),
      state: 'exited',
      finishedAt: exit?.at ?? this.#clock.now(),
    };
    container.started.resolve();
    container.ended.resolve();
    this.#emit(container);
  }

  /** The end of what a container wrote to its terminal, when the launcher did not pass it on. It is there once. */
  async #terminalRest({ record, progress }: Container): Promise<Buffer> {
    const { layout, launcher } = this.#machineOf(record.sandboxId);
    if (!record.spec.tty || progress.pid === undefined || launcher.name !== 'crun') return Buffer.alloc(0);
    const logFile = join(layout.containers, record.id, 'runtime.log');
    const rest = await terminalRest(logFile);
    await rm(logFile, { force: true });
    return rest;
  }

  async #outcome(container: Container, code: number, oomKills: number): Promise<Partial<Progress>> {
    if (container.progress.pid === undefined) {
      const message = await failureMessage(join(this.#machine.layout.containers, container.record.id));
      return { exitCode: 128, reason: 'ContainerCannotRun', message };
    }
    if (oomKills > 0) return { exitCode: code, reason: 'OOMKilled' };
    return { exitCode: code, reason: code === 0 ? 'Completed' : 'Error' };
  }

  /** The launcher itself has no business in the container's cgroup once the container runs. */
  async #expelLauncher(pid: number, group: string): Promise<void> {
    const [file = ''] = this.#machine.cgroups.joinFiles(group);
    const members = (await readFile(file, 'utf8').catch(() => '')).split('\n').map(Number).filter(Boolean);
    const parents = await ancestorsOf(pid);
    await Promise.all(
      members
        .filter((member) => parents.includes(member))
        .map((member) => this.#machine.cgroups.expel(member)),
    );
  }

  async #kill(container: Container): Promise<void> {
    const { pid, state } = container.progress;
    if (state === 'exited') return;
    if (pid !== undefined) signalProcess(pid, constants.signals.SIGKILL);
    await this.#machine.cgroups.kill(`${container.record.sandboxId}/${container.record.id}`);
  }

  #emit(container: Container): void {
    const status = statusOf(container.record, container.progress);
    for (const listener of this.#listeners) listener(status);
  }

  /** Finds wrappers that were killed; their containers cannot tell how they end. */
  #schedulePoll(): void {
    if (this.#closed) return;
    this.#poll = this.#clock.after(pollMs, () => {
      for (const container of this.#containers.values()) {
        const { shimPid } = container;
        if (shimPid === undefined || container.progress.state === 'exited') continue;
        void this.#observe(container, processExists(shimPid) ? 'file' : 'wrapper gone');
      }
      this.#schedulePoll();
    });
  }

  async #deleteContainer(id: string, sandboxId: string): Promise<void> {
    const { layout, cgroups } = this.#machine;
    await Promise.all([
      cgroups.remove(`${sandboxId}/${id}`, this.#clock),
      rm(join(layout.containers, id), { recursive: true, force: true }),
      ...[layout.exits, layout.pids, layout.shims].map((folder) => rm(join(folder, id), { force: true })),
      rm(join(layout.runtimeRoot, id), { recursive: true, force: true }),
    ]);
  }
}
