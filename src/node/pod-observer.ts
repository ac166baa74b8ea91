import type { Container, ContainerStateWaiting, Pod, Probe } from '../api/core/v1.gen.ts';
import { historiesOf, type ContainerHistory } from './container-history.ts';
import type { ContainerStatus, SandboxStatus } from './container-runtime.ts';
import type { NodeContext } from './node-context.ts';
import { allContainersOf } from './pod-containers.ts';
import { startContainerProbes, type ContainerProbes } from './probes/container-probes.ts';
import { TERMINATION_LOG } from './start-container.ts';
import { terminationMessage } from './termination-message.ts';

export interface PodObserverOptions {
  readonly node: NodeContext;
  /** The newest version of the pod. */
  pod(): Pod;
  /** A probe changed its mind. */
  onChange(): void;
  onUnhealthy(
    container: Container,
    status: ContainerStatus,
    cause: { readonly kind: 'startup' | 'liveness'; readonly probe: Probe },
  ): void;
}

/** What is known of one pod's sandboxes, containers and probes. */
export class PodObserver {
  readonly #options: PodObserverOptions;
  readonly #containers = new Map<string, ContainerStatus>();
  readonly #sandboxes = new Map<string, SandboxStatus>();
  readonly #probes = new Map<string, ContainerProbes>();
  /** Containers whose postStart hook has not ended. */
  readonly #hooks = new Set<string>();
  readonly #imageReferences = new Map<string, string>();
  /** Why containers that should run do not, by container name. */
  readonly waiting: Map<string, ContainerStateWaiting> = new Map();
  /** Last words, by container id. */
  readonly terminationMessages: Map<string, string> = new Map();

  constructor(options: PodObserverOptions) {
    this.#options = options;
  }

  /** The sandbox that works, if there is one. */
  get sandbox(): SandboxStatus | undefined {
    return this.sandboxes.find((sandbox) => sandbox.ready);
  }

  /** Newest first. */
  get sandboxes(): readonly SandboxStatus[] {
    return [...this.#sandboxes.values()].sort((a, b) => b.attempt - a.attempt);
  }

  get histories(): ReadonlyMap<string, ContainerHistory> {
    return historiesOf(this.#containers.values());
  }

  /** Whether the runtime knows any of the pod's containers. */
  get hasRun(): boolean {
    return this.#containers.size > 0;
  }

  get running(): readonly ContainerStatus[] {
    return [...this.#containers.values()].filter((status) => status.state === 'running');
  }

  /** Address of the pod; the node's for pods on its network. */
  get host(): string {
    return this.sandbox?.ip ?? this.#options.node.hostIPs[0] ?? '127.0.0.1';
  }

  get podIPs(): readonly string[] {
    const { ip, additionalIPs = [] } = this.sandbox ?? {};
    return ip === undefined ? this.#options.node.hostIPs : [ip, ...additionalIPs];
  }

  container(name: string): Container | undefined {
    return allContainersOf(this.#options.pod()).find((container) => container.name === name);
  }

  imageReference(imageId: string): string {
    return this.#imageReferences.get(imageId) ?? imageId;
  }

  isStarted(status: ContainerStatus): boolean {
    return !this.#hooks.has(status.id) && this.#probes.get(status.id)?.started === true;
  }

  isReady(status: ContainerStatus): boolean {
    return !this.#hooks.has(status.id) && this.#probes.get(status.id)?.ready === true;
  }

  setSandbox(sandbox: SandboxStatus): void {
    this.#sandboxes.set(sandbox.id, sandbox);
  }

  /** Takes the runtime's word for which sandboxes there are. */
  setSandboxes(sandboxes: readonly SandboxStatus[]): void {
    const listed = new Set(sandboxes.map((sandbox) => sandbox.id));
    for (const [id, known] of this.#sandboxes) {
      if (!listed.has(id)) this.#sandboxes.set(id, { ...known, ready: false });
    }
    for (const sandbox of sandboxes) this.#sandboxes.set(sandbox.id, sandbox);
  }

  forgetSandbox(id: string): void {
    this.#sandboxes.delete(id);
    for (const status of this.#containers.values()) if (status.sandboxId === id) this.forget(status.id);
  }

  forget(containerId: string): void {
    this.#containers.delete(containerId);
    this.terminationMessages.delete(containerId);
    this.#probes.get(containerId)?.close();
    this.#probes.delete(containerId);
  }

  /** Takes a container's newest status; reads the last words of one that ended, starts the probes of one that runs. */
  async observe(status: ContainerStatus): Promise<void> {
    if (this.#containers.get(status.id)?.state === 'exited') return;
    await this.#nameImage(status.imageId);
    if (status.state === 'exited') await this.#readLastWords(status);
    if (this.#containers.get(status.id)?.state === 'exited') return;
    this.#containers.set(status.id, status);
    if (status.state === 'exited') {
      this.#probes.get(status.id)?.close();
      this.#probes.delete(status.id);
    } else this.#watch(status);
  }

  /** The container counts as not started until {@link hookEnded}. */
  hookBegins(containerId: string): void {
    this.#hooks.add(containerId);
  }

  hookEnded(containerId: string): void {
    this.#hooks.delete(containerId);
    const status = this.#containers.get(containerId);
    if (status) this.#watch(status);
  }

  /** The pod ends: probes no longer kill; readiness goes on. */
  stopKilling(): void {
    for (const probes of this.#probes.values()) probes.stopKilling();
  }

  stopProbes(containerId: string): void {
    this.#probes.get(containerId)?.close();
  }

  close(): void {
    for (const probes of this.#probes.values()) probes.close();
  }

  async #nameImage(imageId: string): Promise<void> {
    if (this.#imageReferences.has(imageId)) return;
    const image = await this.#options.node.images.get(imageId);
    this.#imageReferences.set(imageId, image?.digests[0] ?? imageId);
  }

  async #readLastWords(status: ContainerStatus): Promise<void> {
    const container = this.container(status.name);
    const file = status.annotations[TERMINATION_LOG];
    if (!container || file === undefined) return;
    const ended = { file, logPath: status.logPath, exitCode: status.exitCode ?? 0 };
    const message = await terminationMessage(container, ended);
    if (message !== '') this.terminationMessages.set(status.id, message);
  }

  #watch(status: ContainerStatus): void {
    const { node, pod, onChange, onUnhealthy } = this.#options;
    const container = this.container(status.name);
    if (!container || status.state !== 'running') return;
    if (this.#hooks.has(status.id) || this.#probes.has(status.id)) return;
    const containerID = `${node.runtime.name}://${status.id}`;
    const { initContainerStatuses = [], containerStatuses = [] } = pod().status ?? {};
    const known = [...initContainerStatuses, ...containerStatuses].find(
      (one) => one.containerID === containerID,
    );
    const probes = startContainerProbes({
      pod: pod(),
      container,
      containerId: status.id,
      startedAt: status.startedAt ?? status.createdAt,
      host: this.host,
      runtime: node.runtime,
      events: node.events,
      clock: node.clock,
      ...(known && { known: { started: known.started === true, ready: known.ready } }),
      onAttempt: (probe, outcome) => node.probes.count({ pod: pod(), container, probe, outcome }),
      onChange,
      onUnhealthy: (kind, probe) => onUnhealthy(container, status, { kind, probe }),
    });
    this.#probes.set(status.id, probes);
  }
}
