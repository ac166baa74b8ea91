import { rm } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { createBackoff } from '../base/backoff.ts';
import type { Container, Pod, PodStatus, Probe } from '../api/core/v1.gen.ts';
import type { Live } from '../machinery/object.ts';
import type { NodeRoom } from './admission/insufficient-resource.ts';
import type { Refusal } from './admission/refusal-of.ts';
import type { PodConfig } from './config-source.ts';
import { debugTarget } from './debug-target.ts';
import { deletePod } from './delete-pod.ts';
import type { ContainerStatus, SandboxStatus } from './container-runtime.ts';
import { podStorage } from './eviction/pod-storage.ts';
import { limitsStorage, storageOverLimit, type PodStorage } from './eviction/storage-limits.ts';
import type { Image } from './image-service.ts';
import { launchContainer } from './launch-container.ts';
import type { NodeContext } from './node-context.ts';
import { planPod, type Step } from './plan.ts';
import { allContainersOf, containersOf, initContainersOf } from './pod-containers.ts';
import { podDirectories, type PodDirectories } from './pod-directories.ts';
import { writePodEtc } from './pod-etc.ts';
import { podDevices } from './pod-devices.ts';
import { PodEnding } from './pod-ending.ts';
import { PodObserver } from './pod-observer.ts';
import { podStatus } from './pod-status.ts';
import { refusedStatus } from './refused-status.ts';
import type { WaitingResize } from './resize/plan-resize.ts';
import { PodResizer } from './resize/pod-resizer.ts';
import { RestartGate } from './restart-gate.ts';
import { makeSandbox, sandboxFailure } from './make-sandbox.ts';
import { ensureImage } from './start-container.ts';
import { disruption, type Verdict } from './verdict.ts';
import { StatusWriter } from './status-writer.ts';
import { StepRunner } from './step-runner.ts';
import { stopContainer } from './stop-container.ts';
import type { PodVolumes } from './volumes/pod-volumes.ts';
import { workerVolumes } from './volumes/worker-volumes.ts';
import { VolumeError } from './volumes/volume-error.ts';
import { WaitingError } from './waiting-error.ts';

export interface PodWorkerOptions {
  readonly node: NodeContext;
  readonly pod: Live<Pod>;
  /** Asked once, before anything of the pod is made, unless it has begun to run before. */
  admit(worker: PodWorker): Promise<Refusal | undefined>;
  /** What the node has to give, and to whom it has given some of it. */
  room(): NodeRoom;
  /** The pod was granted more, or less: others may have their turn. */
  onResized(): void;
  /** What the runtime already has of this pod. */
  readonly sandboxes: readonly SandboxStatus[];
  readonly containers: readonly ContainerStatus[];
  /** Called once, when nothing of the pod is left on the node and the API no longer has it. */
  onGone(): void;
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
  readonly #ending: PodEnding;
  readonly #images = new Map<string, Promise<Image>>();
  readonly #gate: RestartGate;
  readonly #resizer: PodResizer;
  readonly #room: () => NodeRoom;
  readonly #onResized: () => void;
  readonly #endedForResize = new Set<string>();
  readonly #sandboxBackoff = createBackoff({ baseMs: 1000, maxMs: 30_000 });
  readonly #volumeBackoff = createBackoff({ baseMs: 500, maxMs: 122_000 });
  readonly #createdAt: number;
  /** Where the pod's files are. */
  readonly directories: PodDirectories;
  readonly observer: PodObserver;
  /** Why the node has not taken the pod. */
  #refusal: Refusal | undefined;
  #adopted = false;
  #volumesReady = false;
  #etcFor: string | undefined;
  #syncAsked = false;
  /** Why the node itself ended the pod. */
  #verdict: Verdict | undefined;
  #removed = false;
  #shownAs: string | undefined;
  #released = false;
  #deleted = false;
  /** The status computed last; the API may not have it yet. */
  #reported: PodStatus | undefined;

  constructor(options: PodWorkerOptions) {
    const { node, pod } = options;
    this.#node = node;
    this.#onGone = options.onGone;
    this.#room = options.room;
    this.#onResized = options.onResized;
    this.#gate = new RestartGate(node);
    this.#createdAt = node.clock.now();
    this.directories = podDirectories(node.directory, pod);
    const begun = options.sandboxes.length > 0;
    this.#resizer = new PodResizer(node, pod, { directory: this.directories.root, begun });
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
    this.#ending = new PodEnding({
      node,
      steps: this.#steps,
      observer: this.observer,
      pod: () => this.#pod,
    });
    this.#config = node.config.forPod(pod.metadata.namespace ?? '', () => this.#onConfigChange());
    this.#writer = new StatusWriter(node, pod, this.#closing.signal);
    this.#volumes = workerVolumes({
      node,
      directories: this.directories,
      config: this.#config,
      pod: () => this.#pod,
      podIPs: () => this.observer.podIPs,
      onFailure: (message) => {
        if (this.#ending.hasBegun || this.#closing.signal.aborted) return;
        node.events.record(this.#pod, 'Warning', 'FailedMount', message);
      },
    });
    this.observer.setSandboxes(options.sandboxes);
    this.#steps.run('adopt', async () => {
      if (!begun && !this.#isOver()) this.#refusal = await options.admit(this);
      if (this.#refusal) node.events.record(pod, 'Warning', this.#refusal.reason, this.#refusal.message);
      await Promise.all(options.containers.map((status) => this.observer.observe(status)));
      for (const { name } of this.observer.running) this.#resizer.adopted(name);
      this.#adopted = true;
    });
  }

  /** The newest version of the pod, with the resources that the node has granted it. */
  get pod(): Live<Pod> {
    return this.#pod;
  }

  get #pod(): Live<Pod> {
    return this.#resizer.pod;
  }

  /** Whether the node has taken the pod and something of it runs or may run. */
  get isTaken(): boolean {
    return this.#adopted && this.mayRun;
  }

  /** Whether something of the pod may run, as far as is known: what the node has for it is kept. */
  get mayRun(): boolean {
    return !this.#refusal && !this.#isOver() && !this.#ending.isFinished;
  }

  /** A resize that waits for room. */
  get waitingResize(): WaitingResize | undefined {
    return this.isTaken ? this.#resizer.waiting : undefined;
  }

  /** Looks again whether there is room for what the pod asks for, and tries at once what waits for its next attempt. */
  retry(): void {
    for (const step of ['sandbox', 'stop']) this.#steps.wake(step);
    this.#requestSync();
  }

  /** Takes a newer version of the pod. */
  update(pod: Live<Pod>): void {
    const { labels, annotations } = this.#pod.metadata;
    this.#resizer.take(pod);
    const { metadata } = pod;
    if (!isDeepStrictEqual([labels, annotations], [metadata.labels, metadata.annotations]))
      this.#refreshVolumes();
    this.#requestSync();
  }

  /** The API shows this static pod as an object of another uid, and knows a status of it. */
  showAs(mirrorUid: string, pod: Live<Pod>): void {
    if (this.#shownAs !== mirrorUid) this.#writer.startOver(pod.status);
    this.#shownAs = mirrorUid;
    this.#resizer.take(pod);
    this.#requestSync();
  }

  /** The API no longer has the pod: what runs is stopped and everything is removed. */
  remove(pod: Live<Pod>): void {
    this.#resizer.take(pod);
    this.#removed = true;
    this.#requestSync();
  }

  /** Ends the pod as failed, for a reason of the node's. */
  evict(verdict: Verdict, graceMs: number): void {
    if (this.#verdict || this.#ending.hasBegun) return;
    this.#verdict = verdict;
    this.#ending.begin(graceMs);
    this.#requestSync();
  }

  /** Resolves when the pod has ended and the API knows of it. */
  async ended(): Promise<void> {
    await this.#ending.finished;
    this.#writer.write(this.#status());
    await this.#writer.flushed();
  }

  /** A container of this pod started or ended. */
  onContainer(status: ContainerStatus): void {
    this.#steps.run(`observe ${status.id} ${status.state}`, () => this.observer.observe(status));
  }

  /** The runtime's view of this pod's sandboxes, which replaces the worker's. */
  onSandboxes(sandboxes: readonly SandboxStatus[]): void {
    if (this.#steps.isRunning('sandbox') || this.#ending.hasBegun) return;
    this.observer.setSandboxes(sandboxes);
    this.#requestSync();
  }

  /** Evicts the pod when it fills more disk than it may. */
  async checkStorage(): Promise<void> {
    if (!this.#volumesReady || this.#ending.hasBegun || !limitsStorage(this.#pod)) return;
    const message = storageOverLimit(this.#pod, await this.storage());
    if (message === undefined) return;
    this.#node.events.record(this.#pod, 'Warning', 'Evicted', message);
    this.evict({ reason: 'Evicted', message }, EVICTION_GRACE_MS);
  }

  /** What the pod has on the node's disk. */
  storage(): Promise<PodStorage> {
    return podStorage({
      pod: this.#pod,
      directories: this.directories,
      running: this.observer.running,
      runtime: this.#node.runtime,
      pathOf: (volume) => this.#volumes.pathOf(volume),
    });
  }

  /** Stops watching; containers and files stay as they are. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#steps.close();
    this.observer.close();
    this.#volumes.close();
    this.#config.close();
    await this.#writer.flushed();
    await this.#resizer.flushed();
  }

  #refreshVolumes(): void {
    if (!this.#volumesReady || this.#ending.hasBegun) return;
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
      this.#ending.begin(Math.max(1, deletionGracePeriodSeconds ?? this.#graceMs() / 1000) * 1000);
    }
    if (!this.#ending.hasBegun) this.#checkDeadline();
    if (!this.#ending.hasBegun) this.#takeSteps();
    // What the API knows of a pod that is over stands until the node has made sure that nothing of it runs, and knows more.
    if (!this.#removed && (!this.#isOver() || (this.#ending.isFinished && this.observer.hasRun))) {
      this.#reported = this.#status();
      this.#writer.write(this.#reported);
    }
    this.#ending.resume();
    if (this.#ending.isFinished) this.#cleanUp();
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
    this.#ending.begin(this.#graceMs());
  }

  /** Whether the API has heard of the pod's end. */
  #isOver(): boolean {
    return this.#pod.status?.phase === 'Succeeded' || this.#pod.status?.phase === 'Failed';
  }

  #takeSteps(): void {
    if (this.#isOver() || this.#refusal) {
      this.#ending.begin(this.#graceMs());
      return;
    }
    if (!this.#volumesReady) this.#setUpVolumes();
    if (this.#resizer.decide(this.#room)) this.#onResized();
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
      needsResize: (container) => this.#resizer.actuation(container) !== 'none',
      endedForResize: this.#endedForResize,
    });
    if (this.#resizer.isInProgress && !steps.some((step) => step.do === 'resize')) this.#completeResize();
    for (const step of steps) this.#take(step);
  }

  #take(step: Step): void {
    switch (step.do) {
      case 'create-sandbox':
        return this.#createSandbox(step.attempt);
      case 'start':
        return this.#start(step);
      case 'stop':
        return this.#steps.run(step.container.name, () => this.#stopOne(step, this.#graceMs()));
      case 'resize':
        return this.#steps.run('resize', () => this.#resize());
      case 'finish':
        return this.#ending.begin(this.#graceMs());
    }
  }

  async #resize(): Promise<void> {
    const { sandbox, running } = this.observer;
    if (!sandbox) return;
    if (!(await this.#resizer.apply(running, sandbox.id))) {
      this.#steps.later('resize', RETRY_MS);
      return;
    }
    for (const status of running) {
      const container = allContainersOf(this.#pod).find(({ name }) => name === status.name);
      if (!container || this.#resizer.actuation(container) !== 'restart') continue;
      this.#endedForResize.add(status.id);
      this.#gate.excuse(container.name, status.id);
      const why = `Container ${container.name} resize requires restart`;
      await this.#stopOne({ container, status, why }, this.#graceMs());
    }
  }

  #completeResize(): void {
    const { sandbox, running } = this.observer;
    if (sandbox) this.#steps.run('resize', () => this.#resizer.complete(running, sandbox.id));
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
    const pod = this.#pod;
    this.#steps.run('sandbox', async () => {
      try {
        const [node, old, { signal }] = [this.#node, this.observer.sandboxes, this.#ending];
        this.observer.setSandbox(await makeSandbox({ node, pod, attempt, old, signal }));
        this.#sandboxBackoff.reset();
      } catch (error) {
        if (this.#ending.signal.aborted) return;
        this.#steps.later('sandbox', this.#sandboxBackoff.next());
        const { reason, message } = sandboxFailure(error);
        this.#node.events.record(pod, 'Warning', reason, message);
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
    const wait = this.#gate.waiting(this.#pod, container, ended);
    if (!wait) return true;
    this.observer.waiting.set(container.name, { reason: 'CrashLoopBackOff', message: wait.message });
    this.#steps.later(container.name, wait.remainingMs);
    return false;
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
        ...debugTarget(this.#pod, container, this.observer.histories),
        observer: this.observer,
        onStarted: () => {
          this.#resizer.started(container);
          this.#requestSync();
        },
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

  #status(): PodStatus {
    const pod = this.#pod;
    if (this.#refusal) return refusedStatus(pod, this.#refusal, this.#createdAt);
    return podStatus({
      pod,
      previous: this.#reported,
      now: this.#node.clock.now(),
      startedAt: this.#createdAt,
      sandbox: this.#volumesReady || this.#ending.hasBegun ? this.observer.sandboxes[0] : undefined,
      histories: this.observer.histories,
      waiting: this.observer.waiting,
      terminationMessages: this.observer.terminationMessages,
      imageReference: (id) => this.observer.imageReference(id),
      isStarted: (status) => this.observer.isStarted(status),
      isReady: (status) => this.observer.isReady(status),
      finished: this.#ending.isFinished,
      ...podDevices(this.#node, pod),
      verdict: this.#verdict,
      hostIPs: this.#node.hostIPs,
      runtimeName: this.#node.runtime.name,
      actualResources: (name) => this.#resizer.actualOf(name),
      extraConditions: [
        ...this.#resizer.conditions(),
        ...disruption(pod, this.#verdict, this.#node.clock.now()),
      ],
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
    this.#steps.run('release', async () => {
      await this.#tearDown('release');
      this.#released = true;
    });
  }

  async #deletePod(): Promise<void> {
    await this.#writer.flushed();
    await this.#tearDown('delete');
    try {
      await deletePod(this.#node.client, this.#pod, this.#closing.signal);
      this.#deleted = true;
    } catch (error) {
      this.#steps.later('delete', RETRY_MS);
      throw error;
    }
  }

  /** Takes the volumes back; when that fails (a driver is away), the step is due again later. */
  async #tearDown(step: string): Promise<void> {
    try {
      await this.#volumes.tearDown();
    } catch (error) {
      this.#steps.later(step, RETRY_MS);
      throw error;
    }
  }

  async #removeAll(): Promise<void> {
    const { runtime, tokens, probes } = this.#node;
    await this.#tearDown('remove');
    for (const sandbox of this.observer.sandboxes) await runtime.removeSandbox(sandbox.id);
    await rm(this.directories.root, { recursive: true, force: true });
    await rm(this.directories.logs, { recursive: true, force: true });
    tokens.forget(this.#pod.metadata.uid);
    probes.forget(this.#pod.metadata.uid);
    await this.close();
    this.#onGone();
  }
}
