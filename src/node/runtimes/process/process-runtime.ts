import { randomBytes } from 'node:crypto';
import { access, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Writable, type Duplex } from 'node:stream';
import { sleep, type Clock } from '../../../base/clock.ts';
import {
  RuntimeError,
  type ContainerRuntime,
  type ContainerSpec,
  type ContainerStats,
  type ContainerStatus,
  type ExecOptions,
  type ExecSession,
  type SandboxSpec,
  type SandboxStatus,
} from '../../container-runtime.ts';
import type { Image, ImageService } from '../../image-service.ts';
import { attachSession, type AttachableStreams } from '../attach-session.ts';
import { commandLine, containerEnvironment } from '../container-command.ts';
import { statusOf, type ContainerIdentity, type Progress } from '../container-progress.ts';
import { CriLogWriter, type LogRotation, type LogStream } from '../cri-log-writer.ts';
import { startSession, type ProcessSession, type SessionCommand } from '../exec-session.ts';
import { OutputFanout } from '../output-fanout.ts';
import { processExists, signalNumber, signalProcess } from '../processes.ts';
import { readIfPresent, writeState } from '../state-file.ts';
import { listenScript } from './listen-script.ts';
import { findProgram } from './program.ts';
import { mapped, projectRoot } from './projected-root.ts';
import { withCdiDevices } from './with-cdi-devices.ts';
import { unmountBelow } from '../../volumes/tmpfs.ts';

export interface ProcessRuntimeOptions {
  /** Files of the containers; made with mode 0700. */
  readonly directory: string;
  /** Six hexadecimal digits; they choose the pods' loopback addresses. */
  readonly clusterId: string;
  readonly images: ImageService;
  readonly clock: Clock;
  /** Where the machine's programs are, as in PATH. */
  readonly searchPath: string;
  readonly logs?: LogRotation;
}

/** Whether processes have groups. */
const groups = process.platform !== 'win32';

interface Sandbox {
  readonly status: SandboxStatus;
  readonly spec: SandboxSpec;
}

interface Container {
  readonly identity: ContainerIdentity;
  readonly image: Image;
  readonly folder: string;
  readonly root: string;
  readonly fanout: OutputFanout;
  readonly stopSignal: string;
  progress: Progress;
  session: ProcessSession | undefined;
  ended: Promise<void>;
}

const noLimits = 'containers are processes of this machine: nothing isolates them and no limit is enforced';
const noRoot =
  'images contribute only their own files (not their operating system); a path of a container lies below $KANOE_ROOT, and arguments and variables that name a volume are changed to the place where it really is';
const noAdoption = 'containers end when the node agent ends';
const noAddresses = 'all pods share 127.0.0.1: two pods cannot use the same port';

/**
 * Runs a container's command as a process of this machine, for systems without containers. `KANOE_ROOT` names the folder that
 * stands for its root, `KANOE_POD_IP` the loopback address on which it should listen; programs of Node.js do so by themselves.
 */
export async function createProcessRuntime(options: ProcessRuntimeOptions): Promise<ContainerRuntime> {
  await mkdir(join(options.directory, 'containers'), { recursive: true, mode: 0o700 });
  await removeLeftovers(join(options.directory, 'containers'));
  await unmountBelow(options.directory);
  await writeFile(listenScriptOf(options.directory), listenScript, { mode: 0o600 });
  return new ProcessRuntime(options);
}

/** Ends the processes of a runtime whose agent was killed and removes their files; idempotent. */
export async function purgeProcessRuntime(options: { readonly directory: string }): Promise<void> {
  await removeLeftovers(join(options.directory, 'containers'));
  await unmountBelow(options.directory);
  await rm(options.directory, { recursive: true, force: true });
}

class ProcessRuntime implements ContainerRuntime {
  readonly name = 'process';
  readonly version: string = `node://${process.versions.node}`;
  readonly limitations: readonly string[] = [
    noLimits,
    noRoot,
    noAdoption,
    ...(process.platform === 'darwin' ? [noAddresses] : []),
  ];
  readonly #options: ProcessRuntimeOptions;
  readonly #sandboxes = new Map<string, Sandbox>();
  readonly #containers = new Map<string, Container>();
  readonly #listeners = new Set<(status: ContainerStatus) => void>();

  constructor(options: ProcessRuntimeOptions) {
    this.#options = options;
  }

  async runSandbox(spec: SandboxSpec, signal?: AbortSignal): Promise<SandboxStatus> {
    signal?.throwIfAborted();
    const { podUid, podName, podNamespace, attempt, labels, annotations } = spec;
    const status: SandboxStatus = {
      id: newId(),
      podUid,
      podName,
      podNamespace,
      attempt,
      labels,
      annotations,
      ready: true,
      createdAt: this.#options.clock.now(),
      ...(spec.hostNetwork ? {} : { ip: this.#freeAddress() }),
    };
    this.#sandboxes.set(status.id, { status, spec });
    return status;
  }

  async stopSandbox(id: string): Promise<void> {
    const sandbox = this.#sandboxes.get(id);
    if (!sandbox) return;
    await Promise.all(
      this.#containersOf(id).map((container) => this.stopContainer(container.identity.id, 0)),
    );
    this.#sandboxes.set(id, { ...sandbox, status: { ...sandbox.status, ready: false } });
  }

  async removeSandbox(id: string): Promise<void> {
    await this.stopSandbox(id);
    await Promise.all(this.#containersOf(id).map((container) => this.removeContainer(container.identity.id)));
    this.#sandboxes.delete(id);
  }

  async listSandboxes(): Promise<readonly SandboxStatus[]> {
    return [...this.#sandboxes.values()].map((sandbox) => sandbox.status);
  }

  async createContainer(sandboxId: string, given: ContainerSpec, signal?: AbortSignal): Promise<string> {
    signal?.throwIfAborted();
    const spec = await withCdiDevices(given);
    const { spec: sandbox } = this.#sandbox(sandboxId);
    const image = await this.#options.images.get(spec.imageId);
    if (!image) throw new RuntimeError('NOT_FOUND', `image ${spec.imageId} (${spec.image}) is not present`);
    const id = newId();
    const folder = join(this.#options.directory, 'containers', id);
    const root = join(folder, 'root');
    await projectRoot(root, image.layers, spec.mounts);
    this.#containers.set(id, {
      identity: { id, sandboxId, podUid: sandbox.podUid, spec, createdAt: this.#options.clock.now() },
      image,
      folder,
      root,
      fanout: new OutputFanout(),
      stopSignal: spec.stopSignal ?? image.config.stopSignal ?? 'SIGTERM',
      progress: { state: 'created' },
      session: undefined,
      ended: Promise.resolve(),
    });
    return id;
  }

  async startContainer(id: string): Promise<void> {
    const container = this.#container(id);
    if (container.progress.state !== 'created') {
      throw new RuntimeError('FAILED', `container ${id} has already been started`);
    }
    const { spec } = container.identity;
    try {
      const session = await this.#run(container, commandLine(spec, container.image), {
        tty: spec.tty,
        stdin: spec.stdin,
      });
      container.session = session;
      const startedAt = this.#options.clock.now();
      container.progress = { state: 'running', pid: session.pid, startedAt };
      container.ended = this.#follow(container, session);
      await writeState(join(container.folder, 'process.json'), { pid: session.pid });
      this.#emit(container);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const finishedAt = this.#options.clock.now();
      container.progress = {
        state: 'exited',
        exitCode: 128,
        reason: 'ContainerCannotRun',
        message,
        finishedAt,
      };
      this.#emit(container);
      throw error;
    }
  }

  async stopContainer(id: string, graceMs: number): Promise<void> {
    const container = this.#containers.get(id);
    if (!container?.session || container.progress.state === 'exited') return;
    const { pid } = container.session;
    if (graceMs > 0) {
      // Between a terminal and its program stands a shell, which lets signals pass.
      const target = groups && container.identity.spec.tty ? -pid : pid;
      signalProcess(target, signalNumber(container.stopSignal));
      const waiting = new AbortController();
      const grace = sleep(this.#options.clock, graceMs, waiting.signal).catch(() => {});
      await Promise.race([container.ended, grace]);
      waiting.abort();
    }
    killGroup(pid);
    await container.ended;
  }

  async removeContainer(id: string): Promise<void> {
    const container = this.#containers.get(id);
    if (!container) return;
    await this.stopContainer(id, 0);
    this.#containers.delete(id);
    await rm(container.folder, { recursive: true, force: true });
  }

  async listContainers(sandboxId?: string): Promise<readonly ContainerStatus[]> {
    const all = sandboxId === undefined ? [...this.#containers.values()] : this.#containersOf(sandboxId);
    return all.map((container) => statusOf(container.identity, container.progress));
  }

  async containerStatus(id: string): Promise<ContainerStatus | undefined> {
    const container = this.#containers.get(id);
    return container && statusOf(container.identity, container.progress);
  }

  onContainerEvent(listener: (status: ContainerStatus) => void): { close(): void } {
    const own = (status: ContainerStatus): void => listener(status);
    this.#listeners.add(own);
    return { close: () => void this.#listeners.delete(own) };
  }

  /** Has no effect: see the limitations. */
  async updateResources(id: string): Promise<void> {
    this.#running(id);
  }

  async exec(id: string, options: ExecOptions): Promise<ExecSession> {
    return this.#run(this.#running(id), options.command, options);
  }

  async attach(
    id: string,
    options: { readonly tty: boolean; readonly stdin: boolean },
  ): Promise<ExecSession> {
    const container = this.#running(id);
    const { session } = container;
    if (!session) throw new RuntimeError('NOT_RUNNING', `container ${id} is not running`);
    return attachSession({
      streams: processStreams(container.fanout, session),
      spec: container.identity.spec,
      wantsStdin: options.stdin,
      exited: container.ended.then(() => container.progress.exitCode ?? 0),
      closeShimStdin: () => {},
      resize: session.resize,
    });
  }

  async connectPort(sandboxId: string, port: number): Promise<Duplex> {
    const { ip } = this.#sandbox(sandboxId).status;
    if (ip === undefined || ip === '127.0.0.1') return dial('127.0.0.1', port);
    return dial(ip, port).catch(() => dial('127.0.0.1', port));
  }

  async stats(id: string): Promise<ContainerStats | undefined> {
    const { pid, state } = this.#container(id).progress;
    if (state !== 'running' || pid === undefined || process.platform !== 'linux') return undefined;
    const stat = await readIfPresent(`/proc/${pid}/stat`);
    const fields = stat
      ?.slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    if (!fields) return undefined;
    const [ticks, pages] = [(fields[11] ?? 0) + (fields[12] ?? 0), fields[21] ?? 0];
    return {
      at: this.#options.clock.now(),
      cpuNanoseconds: ticks * 10_000_000,
      memoryUsageBytes: pages * 4096,
      memoryWorkingSetBytes: pages * 4096,
    };
  }

  /** Ends the containers: their output has no other reader. */
  async close(): Promise<void> {
    await Promise.all([...this.#containers.keys()].map((id) => this.stopContainer(id, 0)));
  }

  #sandbox(id: string): Sandbox {
    const sandbox = this.#sandboxes.get(id);
    if (!sandbox) throw new RuntimeError('NOT_FOUND', `sandbox ${id} does not exist`);
    return sandbox;
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

  #containersOf(sandboxId: string): readonly Container[] {
    return [...this.#containers.values()].filter((container) => container.identity.sandboxId === sandboxId);
  }

  /** A loopback address of the pod's own where the system has them without set-up. */
  #freeAddress(): string {
    if (process.platform === 'darwin') return '127.0.0.1';
    const taken = new Set(
      [...this.#sandboxes.values()].filter((s) => s.status.ready).map((s) => s.status.ip),
    );
    const network = 16 + (Number.parseInt(this.#options.clusterId, 16) % 200 || 0);
    for (let host = 2; host < 65_000; host += 1) {
      const address = `127.${network}.${host >> 8}.${host & 255}`;
      if (!taken.has(address)) return address;
    }
    throw new RuntimeError('NETWORK', 'no loopback address is left');
  }

  async #run(
    container: Container,
    command: readonly string[],
    options: Pick<SessionCommand, 'tty' | 'stdin' | 'signal'>,
  ): Promise<ProcessSession> {
    const { identity, image, root } = container;
    const { spec, sandboxId } = identity;
    const { searchPath } = this.#options;
    const sandbox = this.#sandbox(sandboxId);
    const place = async (path: string): Promise<string> => placeOf(path, root, spec);
    const [name = '', ...args] = command;
    const file = await findProgram({ name, image, searchPath, root });
    const environment = containerEnvironment({ spec, sandbox: sandbox.spec, image, user: { home: root } });
    const variables = await Promise.all(
      [...environment].map(async ([key, value]) => [key, await place(value)] as const),
    );
    const session: { current?: ProcessSession } = {};
    session.current = await startSession({
      file,
      args: await Promise.all(args.map(place)),
      env: {
        ...Object.fromEntries(variables),
        ...this.#listeningAt(sandbox.status.ip, environment.get('NODE_OPTIONS')),
        PATH: searchPath,
        KANOE_ROOT: root,
        KANOE_CONTAINER_ID: identity.id,
        KANOE_POD_IP: sandbox.status.ip ?? '127.0.0.1',
      },
      cwd: await workingFolder(spec.workingDir || image.config.workingDir, root, spec),
      tty: options.tty,
      stdin: options.stdin,
      detached: true,
      ...(options.signal ? { signal: options.signal } : {}),
      guarded: true,
      kill: () => {
        if (session.current) killGroup(session.current.pid);
      },
    });
    return session.current;
  }

  /** Pods that share the machine's network, and systems where all pods share one address, are left alone. */
  #listeningAt(ip: string | undefined, own: string = ''): { readonly NODE_OPTIONS?: string } {
    if (ip === undefined || ip === '127.0.0.1') return {};
    const script = JSON.stringify(listenScriptOf(this.#options.directory));
    return { NODE_OPTIONS: `${own} --require ${script}`.trim() };
  }

  async #follow(container: Container, session: ProcessSession): Promise<void> {
    const log = new CriLogWriter({
      path: container.identity.spec.logPath,
      clock: this.#options.clock,
      ...this.#options.logs,
    });
    const copies = [
      copy(session.stdout, 'stdout'),
      ...(session.stderr ? [copy(session.stderr, 'stderr')] : []),
    ];
    async function copy(source: AsyncIterable<Buffer>, stream: LogStream): Promise<void> {
      for await (const chunk of source) {
        container.fanout.write(stream, chunk);
        log.write(stream, chunk);
      }
    }
    const exitCode = await session.exited;
    await Promise.all(copies);
    log.close();
    container.fanout.end();
    const finishedAt = this.#options.clock.now();
    const reason = exitCode === 0 ? 'Completed' : 'Error';
    container.progress = { ...container.progress, state: 'exited', exitCode, reason, finishedAt };
    await rm(join(container.folder, 'process.json'), { force: true });
    this.#emit(container);
  }

  #emit(container: Container): void {
    const status = statusOf(container.identity, container.progress);
    for (const listener of this.#listeners) listener(status);
  }
}

function listenScriptOf(directory: string): string {
  return join(directory, 'listen.cjs');
}

function newId(): string {
  return randomBytes(32).toString('hex');
}

/** An absolute path of the container becomes one of the machine when a volume or the image's files hold it. */
async function placeOf(path: string, root: string, spec: ContainerSpec): Promise<string> {
  if (!path.startsWith('/')) return path;
  const volume = mapped(path, spec.mounts);
  if (volume !== undefined) return volume;
  return access(join(root, path)).then(
    () => (path === '/' ? path : join(root, path)),
    () => path,
  );
}

async function workingFolder(path: string, root: string, spec: ContainerSpec): Promise<string> {
  if (!path || path === '/') return root;
  const place = await placeOf(path, root, spec);
  return access(place).then(
    () => place,
    async () => {
      await mkdir(join(root, path), { recursive: true });
      return join(root, path);
    },
  );
}

function processStreams(fanout: OutputFanout, session: ProcessSession): AttachableStreams {
  return {
    attach: () => fanout.attach(),
    stdin: async () => session.stdin ?? new Writable({ write: (_chunk, _encoding, done) => done() }),
    closeStdin: async () => void session.stdin?.end(),
  };
}

function dial(host: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, allowHalfOpen: true });
    socket.once('connect', () => resolve(socket));
    socket.once('error', (cause) => reject(new RuntimeError('FAILED', cause.message, { cause })));
  });
}

function killGroup(pid: number): void {
  signalProcess(groups ? -pid : pid, constants.signals.SIGKILL);
}

/** Ends what an agent that was killed left, where it can be told from processes of others, and removes its files. */
async function removeLeftovers(folder: string): Promise<void> {
  const ids = await readdir(folder).catch(() => []);
  for (const id of ids) {
    const record = await readIfPresent(join(folder, id, 'process.json'));
    const { pid } = record === undefined ? { pid: 0 } : (JSON.parse(record) as { readonly pid: number });
    if (pid > 1 && process.platform === 'linux' && processExists(pid)) {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      if (environment.includes(`KANOE_CONTAINER_ID=${id}`)) killGroup(pid);
    }
    await rm(join(folder, id), { recursive: true, force: true });
  }
}
