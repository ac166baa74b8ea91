import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { createBackoff } from '../base/backoff.ts';
import { timestamp } from '../base/clock.ts';
import { pods, type Container, type Pod, type PodStatus, type Probe } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import { isStatus } from '../machinery/status-error.ts';
import { refusalOf, type Refusal } from './admission.ts';
import type { PodConfig } from './config-source.ts';
import { RuntimeError, type ContainerStatus, type SandboxStatus } from './container-runtime.ts';
import { goDuration } from './go-duration.ts';
import type { Image } from './image-service.ts';
import { launchContainer } from './launch-container.ts';
import type { NodeContext } from './node-context.ts';
import { planPod, type Step } from './plan.ts';
import { containersOf, ephemeralContainersOf, initContainersOf, podLabel } from './pod-containers.ts';
import { podDirectories, type PodDirectories } from './pod-directories.ts';
import { writePodEtc } from './pod-etc.ts';
import { PodObserver } from './pod-observer.ts';
import { podStatus } from './pod-status.ts';
import { sandboxSpec } from './sandbox-spec.ts';
import { ensureImage } from './start-container.ts';
import { StatusWriter } from './status-writer.ts';
import { StepRunner } from './step-runner.ts';
import { stopContainer } from './stop-container.ts';
import { stopPod } from './stop-pod.ts';
import { emptyDirOverLimit } from './volumes/empty-dir-limit.ts';
import { createClaimReader } from './volumes/claim-volume.ts';
import { createPodVolumes, type PodVolumes } from './volumes/pod-volumes.ts';
import { VolumeError } from './volumes/volume-error.ts';
import { WaitingError } from './waiting-error.ts';

export interface PodWorkerOptions {
  readonly node: NodeContext;
  readonly pod: Live<Pod>;
  /** Pods that the node has taken and that are not over. */
  readonly others: readonly Pod[];
  /** What the runtime already has of this pod. */
  readonly sandboxes: readonly SandboxStatus[];
  readonly containers: readonly ContainerStatus[];
  /** Called once, when nothing of the pod is left on the node and the API no longer has it. */
  onGone(): void;
}

/** Why the node itself ended a pod. */
export interface Verdict {
  readonly reason: string;
  readonly message: string;
}

const RETRY_MS = 10_000;
const EVICTION_GRACE_MS = 1000;
const DEADLINE_MESSAGE = 'Pod was active on the node longer than the specified deadline';

/**
 * Brings one pod to where its spec wants it and keeps it there.
 *
 *     observe (pod, runtime, probes) -> plan -> steps in the background -> observe …
 *     until all has ended for good or the pod is deleted: stop -> report -> clean up -> gone
 *
 * Deciding never waits; at most one step per container runs at a time.
 */
export class PodWorker {
  readonly #node: NodeContext;
  readonly #onGone: () => void;
  readonly #config: PodConfig;
  readonly #volumes: PodVolumes;
  readonly #writer: StatusWriter;
  readonly #steps: StepRunner;
  readonly #closing = new AbortController();
  /** Aborted when the pod is to end: pulls and starts give up. */
  readonly #ending = new AbortController();
  readonly #images = new Map<string, Promise<Image>>();
  /** By container name: the ended attempt that its back-off has counted. */
  readonly #counted = new Map<string, string>();
  readonly #sandboxBackoff = createBackoff({ baseMs: 1000, maxMs: 30_000 });
  readonly #volumeBackoff = createBackoff({ baseMs: 500, maxMs: 122_000 });
  readonly #createdAt: number;
  readonly #refusal: Refusal | undefined;
  /** Where the pod's files are. */
  readonly directories: PodDirectories;
  readonly observer: PodObserver;
  #pod: Live<Pod>;
  #adopted = false;
  #volumesReady = false;
  #etcFor: string | undefined;
  #syncAsked = false;
  #verdict: Verdict | undefined;
  #stopping: { graceMs: number; readonly hurry: AbortController } | undefined;
  #finished = false;
  #removed = false;
  #released = false;
  #deleted = false;
  /** The status computed last; the API may not have it yet. */
  #reported: PodStatus | undefined;

  constructor(options: PodWorkerOptions) {
    const { node, pod } = options;
    this.#node = node;
    this.#pod = pod;
    this.#onGone = options.onGone;
    this.#createdAt = node.clock.now();
    this.directories = podDirectories(node.directory, pod);
    this.#steps = new StepRunner({
      clock: node.clock,
      onChange: () => this.#requestSync(),
      onError: (error) => this.#closing.signal.aborted || node.onError(error),
    });
    this.observer = new PodObserver({
      node,
      pod: () => this.#pod,
      onChange: () => this.#requestSync(),
      onUnhealthy: (container, status, cause) => this.#killUnhealthy(container, status, cause),
    });
    this.#config = node.config.forPod(pod.metadata.namespace ?? '', () => this.#onConfigChange());
    this.#writer = new StatusWriter(node, pod, this.#closing.signal);
    this.#volumes = this.#createVolumes();
    const over = pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded';
    this.#refusal = options.sandboxes.length === 0 && !over ? refusalOf(pod, options.others) : undefined;
    if (this.#refusal) node.events.record(pod, 'Warning', this.#refusal.reason, this.#refusal.message);
    this.observer.setSandboxes(options.sandboxes);
    this.#steps.run('adopt', async () => {
      await Promise.all(options.containers.map((status) => this.observer.observe(status)));
      this.#adopted = true;
    });
  }

  get pod(): Live<Pod> {
    return this.#pod;
  }

  /** Whether the node has taken the pod and something of it runs or may run. */
  get isTaken(): boolean {
    return !this.#refusal && !this.#isOver();
  }

  /** Takes a newer version of the pod. */
  update(pod: Live<Pod>): void {
    const { labels, annotations } = this.#pod.metadata;
    const { metadata } = pod;
    const relabelled = !isDeepStrictEqual([labels, annotations], [metadata.labels, metadata.annotations]);
    this.#pod = pod;
    if (relabelled) this.#refreshVolumes();
    this.#requestSync();
  }

  /** The API no longer has the pod: what runs is stopped and everything is removed. */
  remove(pod: Live<Pod>): void {
    this.#pod = pod;
    this.#removed = true;
    this.#requestSync();
  }

  /** Ends the pod as failed, for a reason of the node's. */
  evict(verdict: Verdict, graceMs: number): void {
    if (this.#verdict || this.#stopping) return;
    this.#verdict = verdict;
    this.#stop(graceMs);
    this.#requestSync();
  }

  /** A container of this pod started or ended. */
  onContainer(status: ContainerStatus): void {
    this.#steps.run(`observe ${status.id} ${status.state}`, () => this.observer.observe(status));
  }

  /** The runtime's view of this pod's sandboxes, which replaces the worker's. */
  onSandboxes(sandboxes: readonly SandboxStatus[]): void {
    if (this.#steps.isRunning('sandbox') || this.#stopping) return;
    this.observer.setSandboxes(sandboxes);
    this.#requestSync();
  }

  /** Evicts the pod when it fills more disk than it may. */
  async checkStorage(): Promise<void> {
    if (!this.#volumesReady || this.#stopping) return;
    const message = await emptyDirOverLimit(this.#pod, (volume) => this.#volumes.pathOf(volume));
    if (message === undefined) return;
    this.#node.events.record(this.#pod, 'Warning', 'Evicted', message);
    this.evict({ reason: 'Evicted', message }, EVICTION_GRACE_MS);
  }

  /** Stops watching; containers and files stay as they are. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#steps.close();
    this.observer.close();
    this.#volumes.close();
    this.#config.close();
    await this.#writer.flushed();
  }

  #refreshVolumes(): void {
    if (!this.#volumesReady || this.#stopping) return;
    this.#volumes.refresh().catch((error: unknown) => this.#node.onError(error));
  }

  #onConfigChange(): void {
    this.#refreshVolumes();
    this.#steps.wake('volumes');
    for (const [name, { reason }] of this.observer.waiting) {
      if (reason === 'CreateContainerConfigError') this.#steps.wake(name);
    }
  }

  #requestSync(): void {
    if (this.#syncAsked) return;
    this.#syncAsked = true;
    // After what has happened meanwhile: a step that ends at once must not keep the news from coming in.
    setImmediate(() => {
      this.#syncAsked = false;
      if (this.#adopted && !this.#closing.signal.aborted) this.#sync();
    });
  }

  #sync(): void {
    const { deletionTimestamp, deletionGracePeriodSeconds } = this.#pod.metadata;
    if (deletionTimestamp !== undefined || this.#removed) {
      this.#stop(Math.max(1, deletionGracePeriodSeconds ?? this.#graceMs() / 1000) * 1000);
    }
    if (!this.#stopping) this.#checkDeadline();
    if (!this.#stopping) this.#takeSteps();
    if (!this.#removed) {
      this.#reported = this.#status();
      this.#writer.write(this.#reported);
    }
    if (this.#finished) this.#cleanUp();
  }

  #graceMs(): number {
    return (this.#pod.spec?.terminationGracePeriodSeconds ?? 30) * 1000;
  }

  #checkDeadline(): void {
    const seconds = this.#pod.spec?.activeDeadlineSeconds;
    if (seconds === undefined || this.#isOver()) return;
    const { startTime } = this.#pod.status ?? {};
    const since = startTime === undefined ? this.#createdAt : Date.parse(startTime);
    const left = since + seconds * 1000 - this.#node.clock.now();
    if (left > 0) {
      if (!this.#steps.isBusy('deadline')) this.#steps.later('deadline', left);
      return;
    }
    this.#node.events.record(this.#pod, 'Normal', 'DeadlineExceeded', DEADLINE_MESSAGE);
    this.#verdict = { reason: 'DeadlineExceeded', message: DEADLINE_MESSAGE };
    this.#stop(this.#graceMs());
  }

  /** Whether the API has heard of the pod's end. */
  #isOver(): boolean {
    return this.#pod.status?.phase === 'Succeeded' || this.#pod.status?.phase === 'Failed';
  }

  #takeSteps(): void {
    if (this.#isOver() || this.#refusal) {
      this.#stop(this.#graceMs());
      return;
    }
    if (!this.#volumesReady) this.#setUpVolumes();
    const { initContainerStatuses = [], containerStatuses = [] } = this.#pod.status ?? {};
    const ran = [...initContainerStatuses, ...containerStatuses].filter(
      (one) => one.containerID !== undefined,
    );
    const steps = planPod({
      pod: this.#pod,
      sandboxId: this.observer.sandbox?.id,
      sandboxAttempt: this.observer.sandboxes[0]?.attempt ?? -1,
      histories: this.observer.histories,
      rememberedRestarts: new Map(ran.map((one) => [one.name, one.restartCount])),
      isStarted: (status) => this.observer.isStarted(status),
    });
    for (const step of steps) this.#take(step);
  }

  #take(step: Step): void {
    switch (step.do) {
      case 'create-sandbox':
        return this.#createSandbox(step.attempt);
      case 'start':
        return this.#start(step);
      case 'stop': {
        const { container, status, why } = step;
        return this.#steps.run(container.name, () =>
          this.#stopOne({ container, status, why }, this.#graceMs()),
        );
      }
      case 'finish':
        return this.#stop(this.#graceMs());
    }
  }

  async #stopOne(
    what: { readonly container: Container; readonly status: ContainerStatus; readonly why: string },
    graceMs: number,
  ): Promise<void> {
    const node = this.#node;
    await stopContainer({
      ...what,
      node,
      pod: this.#pod,
      graceMs,
      host: this.observer.host,
      signal: this.#ending.signal,
    });
    const stopped = await node.runtime.containerStatus(what.status.id);
    if (stopped) await this.observer.observe(stopped);
  }

  #killUnhealthy(
    container: Container,
    status: ContainerStatus,
    cause: { readonly kind: 'startup' | 'liveness'; readonly probe: Probe },
  ): void {
    this.observer.stopProbes(status.id);
    const own = cause.probe.terminationGracePeriodSeconds;
    const graceMs = own === undefined ? this.#graceMs() : own * 1000;
    const why = `Container ${container.name} failed ${cause.kind} probe, will be restarted`;
    this.#steps.run(`kill ${status.id}`, () => this.#stopOne({ container, status, why }, graceMs));
  }

  #createVolumes(): PodVolumes {
    const node = this.#node;
    const claims = createClaimReader(node.client, this.#pod.metadata.namespace ?? '');
    return createPodVolumes({
      clock: node.clock,
      directories: this.directories,
      memoryDirectory: join(node.memoryDirectory, this.#pod.metadata.uid),
      context: () => ({
        pod: this.#pod,
        addresses: { podIPs: this.observer.podIPs, hostIPs: node.hostIPs },
        allocatable: node.allocatable,
        configMap: (name) => this.#config.configMap(name),
        secret: (name) => this.#config.secret(name),
        token: (audience, seconds) => node.tokens.token(this.#pod, audience, seconds),
        ...claims,
      }),
      onFailure: (message) => {
        if (this.#stopping || this.#closing.signal.aborted) return;
        node.events.record(this.#pod, 'Warning', 'FailedMount', message);
      },
    });
  }

  #setUpVolumes(): void {
    this.#steps.run('volumes', async () => {
      try {
        await this.#volumes.setUp();
        this.#volumesReady = true;
      } catch (error) {
        this.#steps.later('volumes', this.#volumeBackoff.next());
        if (!(error instanceof VolumeError)) throw error;
      }
    });
  }

  #createSandbox(attempt: number): void {
    const { runtime, events, dns } = this.#node;
    const pod = this.#pod;
    this.#steps.run('sandbox', async () => {
      try {
        if (attempt > 0) {
          events.record(
            pod,
            'Normal',
            'SandboxChanged',
            'Pod sandbox changed, it will be killed and re-created.',
          );
          await Promise.all(this.observer.sandboxes.map((old) => runtime.stopSandbox(old.id)));
        }
        const spec = sandboxSpec(pod, attempt, dns.clusterDomain);
        this.observer.setSandbox(await runtime.runSandbox(spec, this.#ending.signal));
        this.#sandboxBackoff.reset();
      } catch (error) {
        if (this.#ending.signal.aborted) return;
        this.#steps.later('sandbox', this.#sandboxBackoff.next());
        if (!(error instanceof RuntimeError)) throw error;
        const message = `Failed to create pod sandbox: ${error.message}`;
        events.record(pod, 'Warning', 'FailedCreatePodSandBox', message);
      }
    });
    const [firstInit] = initContainersOf(pod);
    for (const container of firstInit ? [firstInit] : containersOf(pod)) void this.#image(container);
  }

  /** The image of a container, asked for once per start; early callers save time. */
  #image(container: Container): Promise<Image> {
    const asked = this.#images.get(container.name);
    if (asked) return asked;
    const image = ensureImage({
      node: this.#node,
      pod: this.#pod,
      container,
      config: this.#config,
      signal: this.#ending.signal,
    });
    image.catch(() => undefined);
    this.#images.set(container.name, image);
    return image;
  }

  #start(step: Extract<Step, { do: 'start' }>): void {
    const { container, after } = step;
    const { sandbox } = this.observer;
    if (!sandbox || !this.#volumesReady || this.#steps.isBusy(container.name)) return;
    if (after?.state === 'exited' && !this.#mayRestart(container, after)) return;
    this.#steps.run(container.name, () => this.#startNow(container, step.attempt, sandbox));
  }

  /** Whether the back-off of an ended container is over; otherwise says so and looks again in time. */
  #mayRestart(container: Container, ended: ContainerStatus): boolean {
    const { name } = container;
    const { restarts, events, clock } = this.#node;
    if (this.#counted.get(name) === ended.id) return true;
    const key = `${this.#pod.metadata.uid}/${name}`;
    const endedAt = ended.finishedAt ?? clock.now();
    const wait = restarts.waiting(key, endedAt);
    if (!wait) {
      restarts.fail(key, endedAt);
      this.#counted.set(name, ended.id);
      return true;
    }
    const label = podLabel(this.#pod);
    const message = `back-off ${goDuration(wait.backoffMs)} restarting failed container=${name} pod=${label}`;
    this.observer.waiting.set(name, { reason: 'CrashLoopBackOff', message });
    const event = `Back-off restarting failed container ${name} in pod ${label}`;
    events.record(this.#pod, 'Warning', 'BackOff', event);
    this.#steps.later(name, wait.remainingMs);
    return false;
  }

  /** What an ephemeral container debugs; upstream's runtimes refuse one whose target does not run. */
  #targetOf(container: Container): { readonly target?: string } {
    const ephemeral = ephemeralContainersOf(this.#pod).find(({ name }) => name === container.name);
    if (!ephemeral?.targetContainerName) return {};
    const newest = this.observer.histories.get(ephemeral.targetContainerName)?.[0];
    if (newest?.state === 'running') return { target: newest.id };
    const message = `unable to find target container "${ephemeral.targetContainerName}"`;
    throw new WaitingError('CreateContainerConfigError', message);
  }

  async #startNow(container: Container, attempt: number, sandbox: SandboxStatus): Promise<void> {
    const { name } = container;
    const node = this.#node;
    try {
      if (this.#etcFor !== sandbox.id) {
        await writePodEtc(this.directories.etc, this.#pod, { ips: this.observer.podIPs, dns: node.dns });
        this.#etcFor = sandbox.id;
      }
      await launchContainer({
        node,
        pod: this.#pod,
        container,
        attempt,
        sandbox,
        image: this.#image(container),
        podIPs: this.observer.podIPs,
        directories: this.directories,
        volumes: this.#volumes,
        config: this.#config,
        signal: this.#ending.signal,
        ...this.#targetOf(container),
        observer: this.observer,
        onStarted: () => this.#requestSync(),
      });
    } catch (error) {
      if (this.#ending.signal.aborted || this.#closing.signal.aborted) return;
      this.#steps.later(name, error instanceof WaitingError ? (error.retryMs ?? RETRY_MS) : RETRY_MS);
      if (!(error instanceof WaitingError)) throw error;
      this.observer.waiting.set(name, { reason: error.reason, message: error.message });
      const said = error.reason.includes('Image') ? error.reason : error.message;
      node.events.record(this.#pod, 'Warning', 'Failed', `Error: ${said}`);
    } finally {
      this.#images.delete(name);
    }
  }

  /** Begins to end the pod, or hurries an end that would take longer than `graceMs`. */
  #stop(graceMs: number): void {
    if (this.#stopping) {
      if (graceMs < this.#stopping.graceMs && !this.#finished) this.#hurry(graceMs);
      return;
    }
    this.#stopping = { graceMs, hurry: new AbortController() };
    this.#ending.abort();
    this.observer.stopKilling();
    this.#steps.run('stop', () => this.#terminate());
  }

  #hurry(graceMs: number): void {
    if (!this.#stopping) return;
    this.#stopping.graceMs = graceMs;
    this.#stopping.hurry.abort();
    for (const { id } of this.observer.running) {
      this.#steps.run(`hurry ${id} ${graceMs}`, () => this.#node.runtime.stopContainer(id, graceMs));
    }
  }

  async #terminate(): Promise<void> {
    do {
      await this.#stopRunning();
      await this.#steps.othersSettled('stop');
    } while (this.observer.running.length > 0);
    for (const sandbox of this.observer.sandboxes) {
      await this.#node.runtime.stopSandbox(sandbox.id);
      this.observer.setSandbox({ ...sandbox, ready: false });
    }
    this.#finished = true;
  }

  async #stopRunning(): Promise<void> {
    const { running } = this.observer;
    if (running.length === 0 || !this.#stopping) return;
    const { graceMs, hurry } = this.#stopping;
    await stopPod({
      node: this.#node,
      pod: this.#pod,
      running,
      graceMs,
      host: this.observer.host,
      signal: hurry.signal,
    });
    for (const { id } of running) {
      const status = await this.#node.runtime.containerStatus(id);
      if (status) await this.observer.observe(status);
    }
  }

  #status(): PodStatus {
    const pod = this.#pod;
    if (this.#refusal) {
      return {
        phase: 'Failed',
        reason: this.#refusal.reason,
        message: `Pod was rejected: ${this.#refusal.message}`,
        startTime: pod.status?.startTime ?? timestamp(this.#createdAt),
        ...(pod.status?.qosClass !== undefined && { qosClass: pod.status.qosClass }),
        ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
      };
    }
    return podStatus({
      pod,
      previous: this.#reported,
      now: this.#node.clock.now(),
      startedAt: this.#createdAt,
      sandbox: this.#volumesReady || this.#stopping ? this.observer.sandboxes[0] : undefined,
      histories: this.observer.histories,
      waiting: this.observer.waiting,
      terminationMessages: this.observer.terminationMessages,
      imageReference: (id) => this.observer.imageReference(id),
      isStarted: (status) => this.observer.isStarted(status),
      isReady: (status) => this.observer.isReady(status),
      finished: this.#finished,
      verdict: this.#verdict,
      hostIPs: this.#node.hostIPs,
      runtimeName: this.#node.runtime.name,
    });
  }

  #cleanUp(): void {
    if (this.#removed) this.#steps.run('remove', () => this.#removeAll());
    else if (this.#pod.metadata.deletionTimestamp === undefined) this.#release();
    else if (!this.#deleted) this.#steps.run('delete', () => this.#deletePod());
  }

  /** The pod has ended but stays in the API: its containers stay for their logs. */
  #release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#steps.run('release', () => this.#volumes.tearDown());
  }

  async #deletePod(): Promise<void> {
    const { name, namespace = '', uid } = this.#pod.metadata;
    await this.#writer.flushed();
    await this.#volumes.tearDown();
    const options = { gracePeriodSeconds: 0, preconditions: { uid }, signal: this.#closing.signal };
    try {
      await this.#node.client.for(pods).delete({ namespace, name }, options);
      this.#deleted = true;
    } catch (error) {
      this.#deleted = isStatus(error, 'NotFound') || isStatus(error, 'Conflict');
      if (this.#deleted) return;
      this.#steps.later('delete', RETRY_MS);
      throw error;
    }
  }

  async #removeAll(): Promise<void> {
    const { runtime, tokens } = this.#node;
    await this.#volumes.tearDown();
    for (const sandbox of this.observer.sandboxes) await runtime.removeSandbox(sandbox.id);
    await rm(this.directories.root, { recursive: true, force: true });
    await rm(this.directories.logs, { recursive: true, force: true });
    tokens.forget(this.#pod.metadata.uid);
    await this.close();
    this.#onGone();
  }
}
