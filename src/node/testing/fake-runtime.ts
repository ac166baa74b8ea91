import { mkdir, appendFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PassThrough } from 'node:stream';
import type { Clock } from '../../base/clock.ts';
import {
  RuntimeError,
  type ContainerRuntime,
  type ContainerSpec,
  type ContainerStatus,
  type ExecSession,
  type SandboxSpec,
  type SandboxStatus,
} from '../container-runtime.ts';

/** What the processes of a {@link FakeRuntime} do. */
export interface FakeProgram {
  /** Throws `RuntimeError` when the process cannot be started. */
  onStart?(spec: ContainerSpec): void;
  /** Exit code of a process that runs to its end at once; undefined: it runs until stopped. */
  exitCode?(spec: ContainerSpec): number | undefined;
  /** What a command inside the container answers. */
  exec?(
    spec: ContainerSpec,
    command: readonly string[],
  ): { readonly exitCode: number; readonly output: string };
}

interface FakeContainer {
  readonly spec: ContainerSpec;
  status: ContainerStatus;
}

/** A container runtime in memory: processes are what its {@link FakeProgram} says. */
export class FakeRuntime implements ContainerRuntime {
  readonly name = 'fake';
  readonly version = '1.0.0';
  readonly limitations: readonly string[] = [];
  readonly sandboxes: Map<string, SandboxStatus> = new Map();
  readonly sandboxSpecs: SandboxSpec[] = [];
  readonly #containers = new Map<string, FakeContainer>();
  readonly #listeners = new Set<(status: ContainerStatus) => void>();
  readonly #clock: Clock;
  readonly #program: FakeProgram;
  #ids = 0;

  constructor(clock: Clock, program: FakeProgram = {}) {
    this.#clock = clock;
    this.#program = program;
  }

  /** The specs of all containers of this name, oldest first. */
  specsOf(name: string): readonly ContainerSpec[] {
    return [...this.#containers.values()].map(({ spec }) => spec).filter((spec) => spec.name === name);
  }

  /** The running container of this name. */
  running(name: string): ContainerStatus | undefined {
    return [...this.#containers.values()].find(
      ({ status }) => status.name === name && status.state === 'running',
    )?.status;
  }

  /** Ends the running container of this name. */
  exit(name: string, exitCode: number): void {
    const status = this.running(name);
    if (status) this.#end(status.id, exitCode);
  }

  runSandbox(spec: SandboxSpec): Promise<SandboxStatus> {
    this.sandboxSpecs.push(spec);
    const id = `sandbox-${++this.#ids}`;
    const status: SandboxStatus = {
      id,
      podUid: spec.podUid,
      podName: spec.podName,
      podNamespace: spec.podNamespace,
      attempt: spec.attempt,
      ready: true,
      ...(!spec.hostNetwork && { ip: '127.0.0.1' }),
      createdAt: this.#clock.now(),
      labels: spec.labels,
      annotations: spec.annotations,
    };
    this.sandboxes.set(id, status);
    return Promise.resolve(status);
  }

  stopSandbox(id: string): Promise<void> {
    for (const { status } of this.#containers.values()) {
      if (status.sandboxId === id && status.state === 'running') this.#end(status.id, 137);
    }
    const sandbox = this.sandboxes.get(id);
    if (sandbox) this.sandboxes.set(id, { ...sandbox, ready: false });
    return Promise.resolve();
  }

  async removeSandbox(id: string): Promise<void> {
    await this.stopSandbox(id);
    for (const { status } of this.#containers.values()) {
      if (status.sandboxId === id) this.#containers.delete(status.id);
    }
    this.sandboxes.delete(id);
  }

  listSandboxes(): Promise<readonly SandboxStatus[]> {
    return Promise.resolve([...this.sandboxes.values()]);
  }

  async createContainer(sandboxId: string, spec: ContainerSpec): Promise<string> {
    const sandbox = this.sandboxes.get(sandboxId);
    if (!sandbox?.ready) throw new RuntimeError('NOT_FOUND', `sandbox ${sandboxId} not found`);
    await mkdir(dirname(spec.logPath), { recursive: true });
    await appendFile(spec.logPath, '');
    const id = `container-${++this.#ids}`;
    this.#containers.set(id, {
      spec,
      status: {
        id,
        sandboxId,
        podUid: sandbox.podUid,
        name: spec.name,
        attempt: spec.attempt,
        image: spec.image,
        imageId: spec.imageId,
        state: 'created',
        createdAt: this.#clock.now(),
        logPath: spec.logPath,
        labels: spec.labels,
        annotations: spec.annotations,
      },
    });
    return id;
  }

  startContainer(id: string): Promise<void> {
    const container = this.#container(id);
    try {
      this.#program.onStart?.(container.spec);
    } catch (error) {
      return Promise.reject(error);
    }
    container.status = {
      ...container.status,
      state: 'running',
      startedAt: this.#clock.now(),
      pid: this.#ids,
    };
    this.#tell(container.status);
    const exitCode = this.#program.exitCode?.(container.spec);
    if (exitCode !== undefined) this.#end(id, exitCode);
    return Promise.resolve();
  }

  stopContainer(id: string, graceMs: number): Promise<void> {
    if (this.#containers.get(id)?.status.state === 'running') this.#end(id, graceMs > 0 ? 143 : 137);
    return Promise.resolve();
  }

  removeContainer(id: string): Promise<void> {
    this.#containers.delete(id);
    return Promise.resolve();
  }

  listContainers(sandboxId?: string): Promise<readonly ContainerStatus[]> {
    const all = [...this.#containers.values()].map(({ status }) => status);
    return Promise.resolve(all.filter((status) => sandboxId === undefined || status.sandboxId === sandboxId));
  }

  containerStatus(id: string): Promise<ContainerStatus | undefined> {
    return Promise.resolve(this.#containers.get(id)?.status);
  }

  onContainerEvent(listener: (status: ContainerStatus) => void): { close(): void } {
    this.#listeners.add(listener);
    return { close: () => void this.#listeners.delete(listener) };
  }

  updateResources(): Promise<void> {
    return Promise.resolve();
  }

  exec(id: string, { command }: { readonly command: readonly string[] }): Promise<ExecSession> {
    const { spec } = this.#container(id);
    const answer = this.#program.exec?.(spec, command) ?? { exitCode: 0, output: '' };
    const stdout = new PassThrough();
    const ended = new Promise<void>((resolve) => stdout.once('end', resolve));
    stdout.end(answer.output);
    return Promise.resolve({
      stdin: undefined,
      stdout,
      stderr: undefined,
      exited: ended.then(() => answer.exitCode),
      resize: () => undefined,
      close: () => undefined,
    });
  }

  attach(): Promise<ExecSession> {
    return Promise.reject(new RuntimeError('UNSUPPORTED', 'nothing to attach to'));
  }

  connectPort(): Promise<never> {
    return Promise.reject(new RuntimeError('UNSUPPORTED', 'no ports'));
  }

  stats(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  close(): Promise<void> {
    this.#listeners.clear();
    return Promise.resolve();
  }

  #container(id: string): FakeContainer {
    const container = this.#containers.get(id);
    if (!container) throw new RuntimeError('NOT_FOUND', `container ${id} not found`);
    return container;
  }

  #end(id: string, exitCode: number): void {
    const container = this.#container(id);
    container.status = {
      ...container.status,
      state: 'exited',
      exitCode,
      finishedAt: this.#clock.now(),
      reason: exitCode === 0 ? 'Completed' : 'Error',
    };
    this.#tell(container.status);
  }

  #tell(status: ContainerStatus): void {
    for (const listener of this.#listeners) listener(status);
  }
}
